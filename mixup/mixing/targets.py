"""Targets as numbers: one-hot, smoothed, with labels that count for nothing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mixup.mixing.checks import is_tensor


def onehot(
    target: Tensor, num_classes: int, label_smoothing: float, ignore_index: int | None
) -> tuple[Tensor, Tensor]:
    """Make one-hot targets of hard labels; see `MixPlan.soft_targets`.

    Returns:
        (N, C, ...) targets, zeros for ignored labels; (N, ...) ones for those that count. Both of
        the default float dtype.

    Raises:
        TypeError: ``target`` is not a tensor.
        ValueError: ``label_smoothing`` is out of its range.
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be in [0, 1], got {label_smoothing}")
    dtype = torch.get_default_dtype()
    try:
        counted = torch.ones_like(target, dtype=torch.bool)
    except TypeError:
        is_tensor("target", target)
        raise
    if ignore_index is not None:
        counted = target != ignore_index
    soft = F.one_hot(target.where(counted, 0), num_classes).movedim(-1, 1).to(dtype)
    if label_smoothing:
        soft = (1 - label_smoothing) * soft + label_smoothing / num_classes
    counted = counted.to(dtype)
    return soft * counted.unsqueeze(1), counted
