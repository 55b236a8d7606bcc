"""Manifold Mixup for any model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Self, get_args

import torch
from torch import nn

from mixup.mixing.again import all_tensors
from mixup.mixing.arguments import Signature, batch_of, labels_given
from mixup.mixing.hooks import Hooks, Repeated, Skipped
from mixup.mixing.layers import Layers, find_layers, is_compiled, unwrap
from mixup.mixing.plan import Mixes, MixPlan
from mixup.mixing.sampler import Pairing, Rows, Sampler, Seed


class ManifoldMixup:
    """Run a model with the state of one randomly drawn layer mixed between samples.

    ``h[i] <- lam * h[i] + (1 - lam) * h[perm[i]]`` after a layer drawn from ``layers``, with
    ``lam ~ Beta(alpha, alpha)`` and a random permutation ``perm``; one forward pass, gradients
    through all of it. ``layers=["input"]`` is input mixup. In eval mode nothing is mixed.

    The model keeps its class, code and state dict. It has forward hooks only while the mixer is
    called; if it is compiled, it keeps them, idle, until `close`, the end of a ``with`` block, or
    the end of the mixer.

    Source: Verma et al. 2019 (arXiv 1806.05236), section 2; Zhang et al. 2018 (arXiv 1710.09412)
    for "input". One lam per sample, weights, other pairings, one-sided mixing and noise are
    additions.

    Args:
        model: any module; compiled and DistributedDataParallel models are looked through.
        layers: where mixing may enter: names as in ``model.named_modules()``, glob patterns
            (``*`` does not cross a dot, ``**`` does), modules, and "input", the first parameter of
            the model's ``forward``; or a mapping of these to relative weights. All are equally
            likely by default. ``"input:NAME"`` is another argument; ``"LAYER:PART"`` only one
            item of the tuple or mapping that a layer returns, by index or key.
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
        probability: that a batch is mixed at all, in [0, 1]; as ``alpha`` and ``beta``, it can be
            set later, as in ``mixer.sampler.probability = 0``.

    Raises:
        TypeError: ``layers`` is a single name, or has an item that is neither name nor module.
        ValueError: an argument out of range, or a layer that is not there; the message lists
            what is.

    Randomness: generators of its own, numpy's; torch's global ones are not touched. `state_dict`
    has their state.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3))
        >>> mixer = ManifoldMixup(model, layers=["input", "1"], alpha=2.0, seed=0)
        >>> output, plan = mixer(torch.zeros(4, 2))
        >>> loss = plan.loss(nn.functional.cross_entropy, output, torch.tensor([0, 1, 2, 0]))
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Layers,
        alpha: float,
        *,
        beta: float | None = None,
        seed: Seed = None,
        where: Literal["after", "before"] = "after",
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
        for option, choice, choices in (
            ("where", where, ("after", "before")),
            ("skipped", skipped, get_args(Skipped)),
            ("repeated", repeated, get_args(Repeated)),
        ):
            if choice not in choices:
                raise ValueError(f"{option} must be one of {choices}, got {choice!r}")
        inner = unwrap(model)
        places = find_layers(inner, layers)
        self.model = model
        self.batch_dim = batch_dim
        self._signature = Signature.of(inner)
        inputs = [place.part for place in places.values() if place.module is inner]
        self._input = inputs[0] if inputs else None
        for part in inputs:
            self._signature.check(part)
        self.sampler = Sampler(
            {name: place.weight for name, place in places.items()},
            alpha,
            beta,
            per_sample=per_sample,
            pairing=pairing,
            mixes=mixes,
            noise=noise,
            seed=seed,
            probability=probability,
        )
        self._hooks = Hooks(
            places,
            before=where == "before",
            batch_dim=batch_dim,
            stop_gradient=stop_gradient,
            skipped=skipped,
            repeated=repeated,
        )
        if any(map(is_compiled, model.modules())):
            self._hooks.stay()

    @classmethod
    def from_layers(
        cls, layers: Iterable[tuple[nn.Module, bool]], alpha: float, **options: Any
    ) -> Self:
        """Build an `nn.Sequential` from (layer, eligible) pairs, and a mixer for it.

        An eligible layer has its *input* mixed.

        Source: the TensorFlow implementation by Madanahalli, where a model is such a list.

        Args:
            layers: pairs of a module and whether mixing may enter before it.
            alpha: parameter of the Beta distribution, > 0.
            options: as of `ManifoldMixup`, without ``where``.

        Returns:
            The mixer; its model is ``mixer.model``.

        Raises:
            ValueError: no layer is eligible.
        """
        pairs = list(layers)
        eligible = [str(index) for index, (_, flag) in enumerate(pairs) if flag]
        model = nn.Sequential(*(layer for layer, _ in pairs))
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

        Randomness: advances the mixer's generators; in a worker of a `DataLoader`, others that
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
            (output, plan): what the model returns, and what was mixed; in eval mode the plan
            that mixes nothing.

        Raises:
            RuntimeError: the drawn layer did not run exactly once in the forward pass (at the
                first call: any of the layers), unless ``skipped`` or ``repeated`` allows it; what
                it returns is not read; a part of a model in eval mode is trained; the mixer is
                closed.
            TypeError, ValueError: the state at the layer cannot be mixed, see `mix`; the batch size
                or the input is not clear; labels are given to the model.

        Randomness: the mixer's generators, unless ``plan`` is given.
        """
        if not self.model.training:
            self._check_eval()
            size = len(plan.perm) if plan else self._batch_of(args, kwargs)[0]
            return self.model(*args, **kwargs), MixPlan.plain(size)
        if plan is None:
            if torch._C._current_graph_task_id() != -1:
                raise RuntimeError(
                    "the mixer was called in a backward pass, where it would draw another plan: "
                    "put checkpoints inside the model, not around the mixer"
                )
            size, device = self._batch_of(args, kwargs)
            plan = self.draw(size).to(device)
        if plan.mixes_labels and (kwargs or len(args) > 1):
            for name in labels_given(self._signature, args, kwargs):
                raise ValueError(
                    f"with {name}=, the model would compute a loss of labels that are not mixed: "
                    "call the mixer without, and use plan.loss"
                )
        self._start(plan)
        try:
            output = self.model(*args, **kwargs)
            ran = self._hooks.check()
        finally:
            self._hooks.stop()
        if not ran:
            return output, plan if plan.layer is None else MixPlan.plain(len(plan.perm))
        self._hooks.mix_again_in_backward(output, all_tensors((args, kwargs)), plan)
        return output, plan

    @contextmanager
    def mixing(self, plan: MixPlan) -> Iterator[None]:
        """Mix the one forward pass of the model that runs inside a ``with`` block.

        For loops that must call the model themselves; others call the mixer.

        Args:
            plan: what to mix, as `draw` returns it.

        Raises:
            RuntimeError: the plan's layer did not run exactly once; the model is in eval mode; the
                mixer is closed.
            ValueError: the plan names a layer that is not one of ``layers``.

        Randomness: none.
        """
        if not self.model.training:
            raise RuntimeError("the model is in eval mode, which never mixes")
        self._start(plan)
        try:
            yield
            self._hooks.check()
        finally:
            self._hooks.stop()

    def _start(self, plan: MixPlan) -> None:
        if is_compiled(self.model):  # by now
            self._hooks.stay()
        self._hooks.start(plan)

    def mix_again_in_backward(self, output: Any, plan: MixPlan) -> None:
        """Let checkpointed layers that the backward pass runs again mix as they did before.

        The mixer's call does this itself; `mixing` cannot, as it does not see the output.

        Args:
            output: what the model returned, or the loss made of it.
            plan: the plan of that forward pass.

        Raises:
            RuntimeError: layers may run again, and no tensor is found in ``output``.
        """
        if plan.layer is not None:
            self._hooks.mix_again_in_backward(output, (), plan)

    def close(self) -> None:
        """Take the mixer's hooks off the model; it cannot be called in training mode any more.

        Run the backward pass of a model with gradient checkpointing first.
        """
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

    def _batch_of(self, args: Any, kwargs: Any) -> tuple[int, torch.device]:
        return batch_of(self._signature, self._input, args, kwargs, self.batch_dim)

    def _check_eval(self) -> None:
        """Raise if the model is in eval mode as a whole, but a part of it is being trained."""
        if not torch.is_grad_enabled():
            return
        for name, part in self.model.named_modules():
            if part.training and any(p.requires_grad for p in part.parameters(recurse=False)):
                raise RuntimeError(
                    f"the model is in eval mode, which never mixes, but {name!r} is in training "
                    "mode: set `model.training = True`, which changes no part of it, to mix, or "
                    "evaluate under torch.no_grad()"
                )
