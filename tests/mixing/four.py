"""Four samples, a plan that mixes them, and layers that take them."""

from typing import Any

import torch
from torch import Tensor, nn

from mixup import MixPlan
from tests import reference

PERM = [2, 0, 1, 3]


def mixed(h: Tensor) -> Tensor:
    return torch.from_numpy(reference.mixed(h.detach(), 0.3, PERM))


def plan(layer: str, **options: Any) -> MixPlan:
    return MixPlan(layer, 0.3, torch.tensor(PERM), **options)


def linear(seed: int = 0) -> nn.Linear:
    torch.manual_seed(seed)
    return nn.Linear(3, 3).double()


class Timed(nn.Module):
    """As a diffusion model: of a state and a time, and a mask that may be missing."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Linear(3, 3).double()

    def forward(self, x: Tensor, t: Tensor | None = None, mask: Any = None) -> Tensor:
        h = self.body(x) if t is None else self.body(x) * t.unsqueeze(1)
        return h if mask is None else h * mask
