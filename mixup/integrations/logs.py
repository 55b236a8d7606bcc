"""What both integrations log of a step."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mixup.mixing.plan import MixPlan


def numbers_of(plan: MixPlan, layers: Sequence[str]) -> dict[str, float]:
    """Return the mean of lam, and which of ``layers`` was drawn: its index, or -1 for none."""
    layer = -1 if plan.layer is None else layers.index(plan.layer)
    return {"mixup_lam": float(torch.as_tensor(plan.lam).mean()), "mixup_layer": float(layer)}
