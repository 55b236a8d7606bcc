"""A net of three blocks with or without gradient checkpoints around them, and plans for it."""

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mixup import MixPlan

LAYERS = ["input", "blocks.0", "blocks.1", "blocks.2"]
PLANS = [
    MixPlan("blocks.0", 0.3, torch.tensor([1, 2, 3, 0])),
    MixPlan("blocks.1", 0.6, torch.tensor([3, 2, 1, 0])),
    MixPlan("blocks.2", 0.8, torch.tensor([2, 3, 1, 0])),
    MixPlan("input", 0.1, torch.tensor([2, 3, 0, 1])),
]


class Deep(nn.Module):
    def __init__(self, reentrant: bool | None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.reentrant = reentrant
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Dropout(0.0)) for _ in range(3)
        )
        self.head = nn.Linear(4, 3)
        self.runs = 0

    def forward(self, x: Tensor) -> Tensor:
        x = x.requires_grad_()
        if self.reentrant is None:
            return self.head(self.inner(x))
        return self.head(checkpoint(self.inner, x, use_reentrant=self.reentrant))

    def inner(self, h: Tensor) -> Tensor:
        self.runs += 1
        for block in self.blocks:
            h = block(h)
        return h


def batch(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(4, 4, generator=generator)
    return x, torch.randint(3, (4,), generator=generator)
