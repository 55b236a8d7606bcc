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

from mixup.mixing.plan import Mixes, MixPlan

Pairing = Literal["random", "derangement", "halves"]
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
        self._rng = np.random.default_rng(seed)
        # Far ahead on the same stream: never meets it, and does not depend on how many were drawn.
        ahead = self._rng.bit_generator.jumped()  # type: ignore[attr-defined]
        self._batch_rng = np.random.Generator(ahead)

    def draw(self, batch_size: int) -> MixPlan:
        """Draw the plan of one batch of ``batch_size`` samples."""
        layer = self.layers[bisect_right(self._thresholds, self._rng.random())]
        lam: float | Tensor
        if self.per_sample:
            lam = torch.from_numpy(self._batch_rng.beta(self.alpha, self.beta, batch_size)).float()
        else:
            lam = self._rng.beta(self.alpha, self.beta)
        perm = torch.from_numpy(self._partners(batch_size))
        if not self.noise:
            return MixPlan._unchecked(layer, lam, perm, self.mixes)
        noise_seed = int(self._batch_rng.integers(2**48))
        return MixPlan._unchecked(layer, lam, perm, self.mixes, self.noise, noise_seed)

    def _partners(self, batch_size: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        if self.pairing == "halves":
            return np.roll(np.arange(batch_size), -(batch_size // 2))
        perm = self._batch_rng.permutation(batch_size)
        if self.pairing == "derangement" and batch_size > 1:
            # All derangements are equally likely; e draws are enough on average.
            while (perm == np.arange(batch_size)).any():
                perm = self._batch_rng.permutation(batch_size)
        return perm

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generators: plain dicts, numbers and strings."""
        return {
            "generator": self._rng.bit_generator.state,
            "batch_generator": self._batch_rng.bit_generator.state,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        if set(state) != {"generator", "batch_generator"}:
            raise ValueError(f"not the state of a mixer: it has the keys {sorted(state)}")
        self._rng.bit_generator.state = state["generator"]
        self._batch_rng.bit_generator.state = state["batch_generator"]
