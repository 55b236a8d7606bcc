"""Five samples of three classes, and a plan that mixes them."""

from typing import Any

import torch

from mixup import MixPlan

N, C = 5, 3
LABELS = [0, 2, 1, 2, 0]
PERM = [3, 0, 2, 4, 1]
LAMS: list[float | list[float]] = [0.3, [0.3, 0.9, 0.0, 1.0, 0.5]]
WEIGHT = [0.5, 2.0, 1.5]


def plan(lam: float | list[float] = 0.3, **options: Any) -> MixPlan:
    weight = torch.tensor(lam, dtype=torch.float64) if isinstance(lam, list) else lam
    return MixPlan("hidden.0", weight, torch.tensor(PERM), **options)


def own(lam: float | list[float], i: int) -> float:
    """Give the weight of sample i itself."""
    return lam if isinstance(lam, float) else lam[i]
