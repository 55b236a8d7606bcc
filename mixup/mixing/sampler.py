"""Draw plans: layer, lam and partners, from generators of their own."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from mixup.mixing.ahead import Ahead
from mixup.mixing.checks import found, fraction, indices, not_negative, number, positive, size
from mixup.mixing.plan import Mixes, MixPlan

Pairing = Literal["random", "derangement", "halves"]
Rows = Sequence[int] | Tensor
Seed = int | Sequence[int] | np.random.SeedSequence | np.random.Generator | None


class Sampler:
    """Draw `MixPlan` after `MixPlan`.

    ``layer`` with probability proportional to its weight, ``lam ~ Beta(alpha, beta)``, and
    partners by ``pairing``. ``alpha``, ``beta`` and ``probability`` may be changed at any time, and
    count from the next draw on.

    In a worker of a `DataLoader`, whose copy would draw what all its siblings do, and the same in
    every epoch, generators start anew from the worker's seed.

    Args:
        layers: name of each layer, and its weight.
        alpha, beta, per_sample, pairing, mixes, noise, probability, seed: as in `ManifoldMixup`.
        also: other settings of the mixer, which its state names too.

    Raises:
        TypeError: one of them is no number, or no seed.
        ValueError: one of them is out of its range.

    Randomness: two numpy generators made from ``seed``, one for layer and lam, one for whatever
    grows with the batch, so that ranks with one seed agree on layer and lam even when a batch is
    shorter on one of them.
    """

    __slots__ = (  # so that nothing else can be set, to no effect
        *("_alpha", "_batch_draws", "_beta", "_draws", "_layers", "_mixes", "_noise", "_pairing"),
        *("_per_sample", "_probability", "_settings", "_thresholds", "_worker_seed"),
    )

    def __init__(
        self,
        layers: Mapping[str, float],
        alpha: float,
        beta: float | None,
        *,
        per_sample: bool,
        pairing: Pairing,
        mixes: Mixes,
        noise: float,
        seed: Seed,
        probability: float = 1.0,
        also: Mapping[str, Any] | None = None,
    ) -> None:
        for name, weight in layers.items():
            of_layer = number(f"the weight of layer {name!r}", weight)
            if not (of_layer > 0 and math.isfinite(of_layer)):
                raise ValueError(f"the weight of layer {name!r} must be > 0, got {weight}")
        for option, choice, choices in (
            ("pairing", pairing, get_args(Pairing)),
            ("mixes", mixes, get_args(Mixes)),
        ):
            if choice not in choices:
                raise ValueError(f"{option} must be one of {choices}, got {choice!r}")
        self._layers = tuple(layers)
        total = sum(layers.values())
        self._thresholds = [part / total for part in accumulate(layers.values())][:-1]
        self._alpha = positive("alpha", alpha)
        self._beta = None if beta is None else positive("beta", beta)
        self._probability = fraction("probability", probability)
        self._per_sample, self._noise = per_sample, not_negative("noise", noise)
        self._pairing: Pairing = pairing
        self._mixes: Mixes = mixes
        self._worker_seed: int | None = None
        self._start(_generator(seed))
        self._settings = {
            "layers": {name: float(weight) for name, weight in layers.items()},
            "per_sample": per_sample,
            "pairing": pairing,
            "mixes": mixes,
            "noise": self._noise,
            **self._changeable(),
            **(also or {}),
        }

    def _start(self, rng: np.random.Generator) -> None:
        # Far ahead on the same stream: never meets it, and does not depend on how many were drawn.
        batch_rng = np.random.Generator(rng.bit_generator.jumped())  # type: ignore[attr-defined]
        self._draws = Ahead(rng, self._layer_and_lam)
        self._batch_draws = Ahead(batch_rng, self._of_batch)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""
        return self._layers

    @property
    def alpha(self) -> float:
        """First parameter of the Beta distribution, > 0."""
        return self._alpha

    @alpha.setter
    def alpha(self, value: float) -> None:
        self._change("_alpha", positive("alpha", value))

    @property
    def beta(self) -> float:
        """Its second parameter, > 0; always ``alpha`` if none was ever given."""
        return self._alpha if self._beta is None else self._beta

    @beta.setter
    def beta(self, value: float) -> None:
        self._change("_beta", positive("beta", value))

    @property
    def probability(self) -> float:
        """Probability that a batch is mixed at all, in [0, 1]."""
        return self._probability

    @probability.setter
    def probability(self, value: float) -> None:
        self._change("_probability", fraction("probability", value))

    def _change(self, name: str, value: float) -> None:
        self._draws.rewind()
        self._batch_draws.rewind()
        setattr(self, name, value)

    def draw(self, batch_size: int, rows: Rows | None = None) -> MixPlan:
        """Draw the plan of one batch of ``batch_size`` samples; see `ManifoldMixup.draw`."""
        worker = get_worker_info()
        if worker is not None and worker.seed != self._worker_seed:
            # Not the seed alone: two mixers of one worker draw differently.
            own = self._draws.generator.integers(2**32)
            self._start(np.random.default_rng([worker.seed, int(own)]))
            self._worker_seed = worker.seed
        if not isinstance(batch_size, int) or batch_size < 0:
            batch_size = size("batch_size", batch_size)
        if rows is not None:
            if self._noise:
                raise ValueError("rows with noise: noise would be added to all of the batch")
            return self._draw_of_rows(batch_size, indices("rows", rows, batch_size))
        layer, lam = self._draws.take()
        lams, perm, noise_seed = self._batch_draws.take(batch_size)
        if layer is None:
            return MixPlan.plain(batch_size)
        weight = lam if lams is None else lams
        return MixPlan._unchecked(
            layer=layer, lam=weight, perm=perm,
            mixes=self._mixes, noise=self._noise, noise_seed=noise_seed,
        )  # fmt: skip

    def _draw_of_rows(self, batch_size: int, index: Tensor) -> MixPlan:
        plan = self.draw(len(index))
        perm, lam = torch.arange(batch_size), plan.lam
        perm[index] = index[plan.perm]
        if isinstance(lam, Tensor):
            lam = torch.ones(batch_size, dtype=lam.dtype).index_copy_(0, index, lam)
        return MixPlan._unchecked(**(vars(plan) | {"lam": lam, "perm": perm}))

    def _layer_and_lam(self, rng: np.random.Generator, _: int) -> tuple[str | None, float]:
        layer = self._layers[bisect_right(self._thresholds, rng.random())]
        lam = math.nan if self._per_sample else rng.beta(self._alpha, self.beta)
        is_mixed = self._probability == 1 or rng.random() < self._probability
        return layer if is_mixed else None, lam

    def _of_batch(self, rng: np.random.Generator, n: int) -> tuple[Tensor | None, Tensor, int]:
        lams = None
        if self._per_sample:
            lams = torch.from_numpy(rng.beta(self._alpha, self.beta, n)).float()
        perm = torch.from_numpy(self._partners(rng, n))
        return lams, perm, int(rng.integers(2**48)) if self._noise else 0

    def _partners(self, rng: np.random.Generator, n: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        if self._pairing == "halves":
            return np.roll(np.arange(n), -(n // 2))
        perm = rng.permutation(n)
        if self._pairing == "derangement" and n > 1:
            # All derangements are equally likely; e draws are enough on average.
            while (perm == np.arange(n)).any():
                perm = rng.permutation(n)
        return perm

    def _changeable(self) -> dict[str, float | None]:
        return {"alpha": self._alpha, "beta": self._beta, "probability": self._probability}

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generators, and the settings: plain dicts, numbers, strings."""
        return {
            "generator": self._draws.state_dict(),
            "batch_generator": self._batch_draws.state_dict(),
            "settings": self._settings,
            "changed": self._changeable(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        if not set(state) >= {"generator", "batch_generator"}:
            raise ValueError(f"not the state of a mixer: it has the keys {sorted(state)}")
        for name, value in state.get("settings", {}).items():
            own = self._settings.get(name)
            if own != value or (name == "layers" and [*own] != [*value]):  # a draw is a position
                raise ValueError(f"the state is of a mixer with other {name}: {value}, not {own}")
        self._draws.load_state_dict(state["generator"])
        self._batch_draws.load_state_dict(state["batch_generator"])
        for name, value in state.get("changed", {}).items():
            setattr(self, f"_{name}", value)


def _generator(seed: Seed) -> np.random.Generator:
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError) as error:
        raise type(error)(f"seed must be an int >= 0, or several, got {found(seed)}") from error
