"""Manifold Mixup for any model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Self

from torch import nn

from mixup.mixing.again import all_tensors
from mixup.mixing.arguments import Signature, batch_of, refuse_draw, refuse_labels
from mixup.mixing.checks import MODEL_FIRST, is_module, whole
from mixup.mixing.hooks import Hooks, Repeated, Skipped, Where
from mixup.mixing.layers import Layers, find_layers, in_a_row, is_compiled, refuse_half_eval, unwrap
from mixup.mixing.plan import Mixes, MixPlan
from mixup.mixing.sampler import Pairing, Rows, Sampler, Seed


class ManifoldMixup:
    """Run a model with the state of one randomly drawn layer mixed between samples.

    ``h[i] <- lam * h[i] + (1 - lam) * h[perm[i]]`` after a layer drawn from ``layers``, with
    ``lam ~ Beta(alpha, alpha)`` and a random permutation ``perm``; one forward pass, gradients
    through all of it. ``layers=["input"]`` is input mixup. In eval mode nothing is mixed.

    The model keeps its class, code and state dict. It has forward hooks only while the mixer is
    called; a compiled one keeps them, idle, until `close`, or the end of a ``with`` block or mixer.

    Source: Verma et al. 2019 (arXiv 1806.05236), section 2; Zhang et al. 2018 (arXiv 1710.09412)
    for "input". Weights, one lam a sample, pairings, one-sided mixing and noise are additions.

    Args:
        model: any module; compiled and DistributedDataParallel models are looked through.
        layers: where mixing may enter: names as in ``model.named_modules()``, glob patterns
            (``*`` does not cross a dot, ``**`` does), modules, and "input", the first parameter of
            the model's ``forward``, no other; or a mapping of these to relative weights. All are
            equally likely by default. ``"input:NAME"`` is another argument; ``"LAYER:PART"`` only
            one item of the tuple or mapping that a layer returns, by index or key.
        alpha: parameter of the Beta distribution, > 0.
        beta: its second parameter, > 0; ``alpha`` when None.
        seed: of the mixer's own generators: an int, ints such as ``[seed, rank]``, a numpy
            SeedSequence or Generator, which nobody else may use; None takes fresh entropy.
        where: mix the state "after" a layer, or "before" it, its first argument.
        per_sample: draw lam for every sample, not for every batch.
        pairing: "random" permutation; "derangement", where no sample meets itself; or "halves",
            where sample i meets i + N // 2.
        mixes: "both", or for ablations "features" or "labels" alone.
        noise: standard deviation of Gaussian noise added to the mixed state, >= 0.
        stop_gradient: for ablations (section 5.1 of the paper), keep the gradient from the layers
            before the mixed state, which a step then trains only where it mixed before them.
        batch_dim: dimension of the batch in the states; 1 for sequence-first models.
        skipped: what to do where the model does not run the drawn layer: "error", or "plain", where
            that batch is not mixed, nor are its labels.
        repeated: what to do where it runs the drawn layer several times: "error", or mix at the
            "first" run or at "each" one.
        probability: that a batch is mixed at all, in [0, 1]. It, ``alpha`` and ``beta`` can be set
            later, as in ``mixer.sampler.probability = 0``.

    Raises:
        TypeError: ``model`` or a layer is no module, ``layers`` no list, a setting no number.
        ValueError: an argument is out of range, or a layer is not there.

    Randomness: generators of its own, numpy's, which `state_dict` has; torch's are not touched.

    Example:
        >>> import torch
        >>> model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3))
        >>> mixer = ManifoldMixup(model, layers=["input", "1"], alpha=2.0, seed=0)
        >>> output, plan = mixer(torch.zeros(4, 2))
        >>> loss = plan.loss(nn.functional.cross_entropy, output, torch.tensor([0, 1, 2, 0]))
    """

    __slots__ = (  # so that nothing else can be set, to no effect
        *("__weakref__", "_batch_of", "_hooks", "_signature", "batch_dim", "model", "sampler"),
    )

    def __init__(
        self,
        model: nn.Module,
        layers: Layers,
        alpha: float,
        *,
        beta: float | None = None,
        seed: Seed = None,
        where: Where = "after",
        per_sample: bool = False,
        pairing: Pairing = "random",
        mixes: Mixes = "both",
        noise: float = 0.0,
        stop_gradient: bool = False,
        batch_dim: int = 0,
        skipped: Skipped = "error",
        repeated: Repeated = "error",
        probability: float = 1.0,
    ) -> None:
        is_module("model", model, MODEL_FIRST)
        inner = unwrap(model)
        places = find_layers(inner, layers)
        self.model, self.batch_dim = model, whole("batch_dim", batch_dim)
        self._signature = Signature.of(inner)
        inputs = [place.part for place in places.values() if place.module is inner]
        for part in inputs:
            self._signature.check(part)
        first = inputs[0] if inputs else None
        self._batch_of = partial(batch_of, self._signature, first, self.batch_dim)
        passes: dict[str, Any] = {
            "where": where, "batch_dim": self.batch_dim, "stop_gradient": stop_gradient,
            "skipped": skipped, "repeated": repeated,
        }  # fmt: skip
        self.sampler = Sampler(
            {name: place.weight for name, place in places.items()}, alpha, beta, seed=seed,
            per_sample=per_sample, pairing=pairing, mixes=mixes, noise=noise,
            probability=probability, also=passes,
        )  # fmt: skip
        self._hooks = Hooks(places, **passes)
        if any(map(is_compiled, model.modules())):
            self._hooks.stay()

    @classmethod
    def from_layers(
        cls, layers: Iterable[tuple[nn.Module, bool]], alpha: float, **options: Any
    ) -> Self:
        """Build an ``nn.Sequential`` from (layer, eligible) pairs, and a mixer for it.

        An eligible layer has its *input* mixed; the model is ``mixer.model``.

        Source: the TensorFlow implementation by Madanahalli, where a model is such a list.

        Raises:
            ValueError: no layer is eligible.
        """
        model, eligible = in_a_row(layers)
        return cls(model, eligible, alpha, where="before", **options)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers where mixing may enter."""
        return self.sampler.layers

    def draw(self, batch_size: int, rows: Rows | None = None) -> MixPlan:
        """Draw a plan for a batch of ``batch_size`` samples.

        Args:
            batch_size: N.
            rows: the samples to mix with each other, indices or a boolean for each; all when None.

        Raises:
            TypeError, ValueError: one of them is none, or ``rows`` are given with ``noise``.

        Randomness: advances the mixer's generators; in a worker of a ``DataLoader``, others that
        start from the worker's seed.
        """
        return self.sampler.draw(batch_size, rows)

    def __call__(self, *args: Any, plan: MixPlan | None = None, **kwargs: Any) -> Any:
        """Run the model once, in training mode mixed by a newly drawn plan.

        Args:
            args, kwargs: of the model; its first parameter, or the one that ``layers`` names as
                "input:NAME", tells the batch size, or all tensors where that one has none.
            plan: a plan to replay; drawn when None.

        Returns:
            What the model returns, and the plan of what was mixed; in eval mode, nothing.

        Raises:
            RuntimeError: the drawn layer did not run once (at the first call: any of the layers),
                unless ``skipped`` or ``repeated`` allows it; only its effect on an argument is
                used; a part of a model in eval mode is trained; the mixer is closed.
            TypeError, ValueError: the state at the layer cannot be mixed, see `mix`; the batch size
                or the input is not clear; labels are given to the model.

        Randomness: the mixer's generators, unless ``plan`` is given.
        """
        if not self.model.training:
            refuse_half_eval(self.model)
            size = len(plan.perm) if plan else self._batch_of(args, kwargs)[0]
            return self.model(*args, **kwargs), MixPlan.plain(size)
        if plan is None:
            size, device = self._batch_of(args, kwargs)
            refuse_draw(device)
            plan = self.draw(size).to(device)
        if plan.mixes_labels and (kwargs or len(args) > 1):
            refuse_labels(self._signature, args, kwargs)
        self._hooks.start(plan, is_compiled(self.model))
        try:
            output = self.model(*args, **kwargs)
            ran = self._hooks.check()
        finally:
            self._hooks.stop()
        if not ran:
            return output, plan if plan.layer is None else MixPlan.plain(len(plan.perm))
        if self._hooks.may_run_again:
            self._hooks.mix_again_in_backward(output, all_tensors((args, kwargs)), plan)
        return output, plan

    @contextmanager
    def mixing(self, plan: MixPlan) -> Iterator[None]:
        """Mix the one forward pass of the model that runs inside a ``with`` block.

        For loops that must call the model themselves; others call the mixer.

        Raises:
            RuntimeError: the plan's layer did not run exactly once; the model is in eval mode; the
                mixer is closed.
            ValueError: the plan's layer is not one of ``layers``.
        """
        if not self.model.training:
            raise RuntimeError("the model is in eval mode, which never mixes")
        self._hooks.start(plan, is_compiled(self.model))
        try:
            yield
            self._hooks.check()
        finally:
            self._hooks.stop()

    def mix_again_in_backward(self, output: Any, plan: MixPlan) -> None:
        """Let checkpointed layers that the backward pass runs again mix as they did before.

        The mixer's call does this itself; `mixing` cannot, as it does not see the ``output``.

        Raises:
            RuntimeError: layers may run again, and no tensor is found in ``output``.
        """
        if plan.layer is not None:
            self._hooks.mix_again_in_backward(output, (), plan)

    def close(self) -> None:
        """Take the mixer's hooks off the model; it cannot be called in training mode any more."""
        self._hooks.closer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the mixer's generators, and its settings: as JSON has them."""
        return self.sampler.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; the next plan is the one that was due then.

        Raises:
            ValueError: ``state`` is something else, or of a mixer with other settings.
        """
        self.sampler.load_state_dict(state)
