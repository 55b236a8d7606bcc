"""Draw plans: layer, lam and partners, from generators of their own."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Generic, Literal, TypeVar, get_args

import numpy as np
import torch
from torch import Tensor

from mixup.mixing.plan import Mixes, MixPlan

Pairing = Literal["random", "derangement", "halves"]
Draw = TypeVar("Draw")
Seed = int | Sequence[int] | np.random.SeedSequence | np.random.Generator | None


class Sampler:
    """Draw `MixPlan` after `MixPlan`.

    ``layer`` with probability proportional to its weight, ``lam ~ Beta(alpha, beta)``, and
    partners by ``pairing``.

    Args:
        layers: name of each layer, and its weight.
        alpha, beta, per_sample, pairing, mixes, noise, seed: as in `ManifoldMixup`.

    Raises:
        ValueError: one of them is out of its range.

    Randomness: two numpy generators made from ``seed``, one for layer and lam, one for whatever
    grows with the batch, so that ranks with one seed agree on layer and lam even when a batch is
    shorter on one of them.
    """

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
    ) -> None:
        beta = alpha if beta is None else beta
        for name, value in (("alpha", alpha), ("beta", beta)):
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"{name} must be > 0 and finite, got {value}")
        for name, weight in layers.items():
            if not (weight > 0 and math.isfinite(weight)):
                raise ValueError(f"the weight of layer {name!r} must be > 0, got {weight}")
        for option, choice, choices in (
            ("pairing", pairing, get_args(Pairing)),
            ("mixes", mixes, get_args(Mixes)),
        ):
            if choice not in choices:
                raise ValueError(f"{option} must be one of {choices}, got {choice!r}")
        if not (noise >= 0 and math.isfinite(noise)):
            raise ValueError(f"noise must be >= 0 and finite, got {noise}")
        self.layers = tuple(layers)
        total = sum(layers.values())
        self._thresholds = [part / total for part in accumulate(layers.values())][:-1]
        self.alpha, self.beta, self.per_sample = float(alpha), float(beta), per_sample
        self.pairing: Pairing = pairing
        self.mixes: Mixes = mixes
        self.noise = float(noise)
        rng = np.random.default_rng(seed)
        # Far ahead on the same stream: never meets it, and does not depend on how many were drawn.
        batch_rng = np.random.Generator(rng.bit_generator.jumped())  # type: ignore[attr-defined]
        self._draws = Ahead(rng, self._layer_and_lam)
        self._batch_draws = Ahead(batch_rng, self._of_batch)

    def draw(self, batch_size: int) -> MixPlan:
        """Draw the plan of one batch of ``batch_size`` samples."""
        layer, lam = self._draws.take()
        lams, perm, noise_seed = self._batch_draws.take(batch_size)
        weight = lam if lams is None else lams
        return MixPlan._unchecked(layer, weight, perm, self.mixes, self.noise, noise_seed)

    def _layer_and_lam(self, rng: np.random.Generator, _: int) -> tuple[str, float]:
        layer = self.layers[bisect_right(self._thresholds, rng.random())]
        return layer, math.nan if self.per_sample else rng.beta(self.alpha, self.beta)

    def _of_batch(self, rng: np.random.Generator, n: int) -> tuple[Tensor | None, Tensor, int]:
        lams = None
        if self.per_sample:
            lams = torch.from_numpy(rng.beta(self.alpha, self.beta, n)).float()
        perm = torch.from_numpy(self._partners(rng, n))
        return lams, perm, int(rng.integers(2**48)) if self.noise else 0

    def _partners(self, rng: np.random.Generator, n: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        if self.pairing == "halves":
            return np.roll(np.arange(n), -(n // 2))
        perm = rng.permutation(n)
        if self.pairing == "derangement" and n > 1:
            # All derangements are equally likely; e draws are enough on average.
            while (perm == np.arange(n)).any():
                perm = rng.permutation(n)
        return perm

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generators: plain dicts, numbers and strings."""
        return {
            "generator": self._draws.state_dict(),
            "batch_generator": self._batch_draws.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        if set(state) != {"generator", "batch_generator"}:
            raise ValueError(f"not the state of a mixer: it has the keys {sorted(state)}")
        self._draws.load_state_dict(state["generator"])
        self._batch_draws.load_state_dict(state["batch_generator"])


class Ahead(Generic[Draw]):
    """Draws of a generator, made several at a time and taken one by one.

    A training step leaves nothing of a generator's code in the processor's caches, where one draw
    then takes as long as ten in a row. To the outside, what was not taken has not been drawn.
    """

    def __init__(self, rng: np.random.Generator, draw: Callable[[np.random.Generator, int], Draw]):
        self._rng, self._draw = rng, draw
        self._drawn: list[Draw] = []
        self._taken, self._size = 0, -1

    def take(self, size: int = 0) -> Draw:
        """Return ``draw(generator, size)``."""
        if size != self._size or self._taken == len(self._drawn):
            self._draw_ahead(size)
        self._taken += 1
        return self._drawn[self._taken - 1]

    def _draw_ahead(self, size: int) -> None:
        # More each time, as long as sizes are the same; not much memory for large ones.
        n = min(2 * len(self._drawn), 32, 2**20 // (size + 1)) if size == self._size else 1
        self._rewind()
        self._size, self._before = size, self._rng.bit_generator.state
        self._drawn = [self._draw(self._rng, size) for _ in range(max(1, n))]

    def _rewind(self) -> None:
        if self._taken < len(self._drawn):
            self._rng.bit_generator.state = self._before
            for _ in range(self._taken):
                self._draw(self._rng, self._size)
        self._drawn, self._taken = [], 0

    def state_dict(self) -> Mapping[str, Any]:
        self._rewind()
        return self._rng.bit_generator.state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._drawn, self._taken = [], 0
        self._rng.bit_generator.state = state
