"""The loss of a mixed batch, for any criterion that is linear in its target."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixup.mixing.formula import mix
from mixup.mixing.linearity import check_linear

Criterion = Callable[..., Tensor]


def plain_loss(criterion: Criterion, output: Any, target: Any, options: dict[str, Any]) -> Tensor:
    """Compute the loss of a batch that is not mixed: that of a mixed one at lam = 1."""
    numbers = _as_numbers(output, target)
    if numbers is None:
        return criterion(output, target, **options)
    return _loss_of_numbers(criterion, output, numbers, options)


def mixed_loss(
    criterion: Criterion,
    output: Any,
    target: Tensor,
    lam: float | Tensor,
    perm: Tensor,
    options: dict[str, Any],
) -> Tensor:
    """Compute the loss of a mixed batch; see `MixPlan.loss`."""
    if not isinstance(target, Tensor):
        raise TypeError(
            f"target must be a tensor, got {type(target).__name__}; of several targets, "
            "add up one plan.loss each"
        )
    if not target.ndim or len(target) != len(perm):
        raise ValueError(f"target has shape {tuple(target.shape)} for a batch of {len(perm)}")
    numbers = _as_numbers(output, target)
    if numbers is not None:
        check_linear(criterion, output, numbers, options)
        return _loss_of_numbers(criterion, output, mix(numbers, lam, perm), options)
    partner = target.index_select(0, perm.to(target.device))
    if isinstance(lam, Tensor):
        return _loss_per_sample(criterion, output, target, partner, lam.to(target.device), options)
    # Means divide both by the same sum of class weights: the labels of a permutation are the same.
    original = criterion(output, target, **options)
    return torch.lerp(original, criterion(output, partner, **options), 1 - lam)


def _as_numbers(output: Any, target: Any) -> Tensor | None:
    """Return the target if it is made of numbers, not of hard labels."""
    if not isinstance(target, Tensor):
        return None
    if target.is_floating_point():
        return target
    if isinstance(output, Tensor) and output.shape == target.shape:
        return target.to(output.dtype)
    return None


def _loss_of_numbers(
    criterion: Criterion, output: Any, target: Tensor, options: dict[str, Any]
) -> Tensor:
    settings = _cross_entropy_settings(criterion, options)
    if settings is None or settings["weight"] is None or settings["reduction"] != "mean":
        return criterion(output, target, **options)
    # PyTorch would divide by the number of samples, and for hard labels by their weights.
    weight: Tensor = settings["weight"]
    total = (target.movedim(1, -1).to(weight.dtype) @ weight).sum()
    return _with_reduction("sum", criterion, options)(output, target) / total


def _loss_per_sample(
    criterion: Criterion,
    output: Any,
    target: Tensor,
    partner: Tensor,
    lam: Tensor,
    options: dict[str, Any],
) -> Tensor:
    unreduced = _with_reduction("none", criterion, options)
    original = unreduced(output, target)
    lam = lam.to(original.dtype).view(-1, *[1] * (original.ndim - 1))
    losses = lam * original + (1 - lam) * unreduced(output, partner)
    reduction = _reduction(criterion, options)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    settings = _cross_entropy_settings(criterion, options)
    if settings is None:
        return losses.mean()
    original_weight, partner_weight = (
        _weights_of_labels(labels, settings).to(lam.dtype) for labels in (target, partner)
    )
    return losses.sum() / (lam * original_weight + (1 - lam) * partner_weight).sum()


def _reduction(criterion: Criterion, options: dict[str, Any]) -> str | None:
    """Return how the criterion reduces its losses; None if it cannot be told."""
    if isinstance(criterion, nn.Module):
        reduction: Any = getattr(criterion, "reduction", None)
        return reduction if isinstance(reduction, str) else None
    with suppress(TypeError, ValueError):  # it has no signature
        parameter = inspect.signature(criterion).parameters.get("reduction")
        if parameter:
            return str(options.get("reduction", parameter.default))
    return None


def _with_reduction(reduction: str, criterion: Criterion, options: dict[str, Any]) -> Criterion:
    if _reduction(criterion, options) is None:
        raise ValueError(
            "with one lam per sample, hard labels need a criterion with a `reduction` to turn off; "
            "give it one, or use one lam per batch, or soft targets"
        )
    if not isinstance(criterion, nn.Module):
        return partial(criterion, **(options | {"reduction": reduction}))
    changed: Any = copy.copy(criterion)  # shallow: the caller's keeps its own reduction
    changed.reduction = reduction
    return partial(changed, **options)


def _cross_entropy_settings(criterion: Criterion, options: dict[str, Any]) -> dict[str, Any] | None:
    """Return what decides the mean of a cross-entropy; None for any other criterion."""
    if isinstance(criterion, partial):
        return _cross_entropy_settings(criterion.func, criterion.keywords | options)
    settings = {"weight": None, "ignore_index": -100, "reduction": "mean"}
    if isinstance(criterion, nn.CrossEntropyLoss | nn.NLLLoss):
        return {key: getattr(criterion, key) for key in settings}
    return settings | options if criterion in (F.cross_entropy, F.nll_loss) else None


def _weights_of_labels(labels: Tensor, settings: dict[str, Any]) -> Tensor:
    """Return the weights by which cross-entropy's mean divides: 0 for ignored labels."""
    counted: Tensor = labels != settings["ignore_index"]
    if settings["weight"] is None:
        return counted
    weight: Tensor = settings["weight"][labels.where(counted, 0)] * counted
    return weight
