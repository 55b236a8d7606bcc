"""The loss of a mixed batch, for any criterion that is linear in its target."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixup.mixing.formula import mix

Criterion = Callable[..., Tensor]

_known_linear: WeakSet[Any] = WeakSet()


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
    perm = perm.to(target.device)
    numbers = target.is_floating_point()
    if not numbers and isinstance(output, Tensor) and output.shape == target.shape:
        numbers, target = True, target.to(output.dtype)
    if numbers:
        _check_linear(criterion, output, target, options)
        return criterion(output, mix(target, lam, perm), **options)
    partner = target.index_select(0, perm)
    if not isinstance(lam, Tensor):
        original = criterion(output, target, **options)
        return lam * original + (1 - lam) * criterion(output, partner, **options)
    return _loss_per_sample(criterion, output, target, partner, lam.to(target.device), options)


def _check_linear(
    criterion: Criterion, output: Any, target: Tensor, options: dict[str, Any]
) -> None:
    """Try the criterion, once, at two targets and half-way between them."""
    if criterion in _known_linear:
        return
    with torch.no_grad():
        # Half precision is too coarse to tell a straight line from a curve.
        target = target.to(torch.promote_types(target.dtype, torch.float32))
        if isinstance(output, Tensor):
            output = output.to(torch.promote_types(output.dtype, torch.float32))
        ramp = torch.linspace(0.1, 0.9, target.numel(), device=target.device)
        ramp = ramp.reshape(target.shape).to(target.dtype)
        trials = [(output, target, target.flip(0)), (output, ramp, ramp.flip(0) ** 2)]
        if isinstance(output, Tensor):
            trials.append((torch.full_like(output, 0.5), ramp, 0.9 - 0.8 * ramp))
        for given, one, other in trials:
            first, second, middle = (
                criterion(given, trial, **options).to(torch.float64)
                for trial in (one, other, (one + other) / 2)
            )
            scale = 1 + first.abs() + second.abs()
            eps = torch.finfo(target.dtype).eps
            if ((first + second) / 2 - middle).abs().gt(100 * eps * scale).any():
                name = getattr(criterion, "__name__", type(criterion).__name__)
                raise ValueError(
                    f"{name} is not linear in its target, so a mixed loss is not defined: "
                    "call it on plan.mix_targets(target) if that is what you mean"
                )
    with suppress(TypeError):  # what takes no weak reference is tried again next time
        _known_linear.add(criterion)


def _loss_per_sample(
    criterion: Criterion,
    output: Any,
    target: Tensor,
    partner: Tensor,
    lam: Tensor,
    options: dict[str, Any],
) -> Tensor:
    unreduced, reduction = _without_reduction(criterion, options)
    original = unreduced(output, target)
    lam = lam.to(original.dtype).view(-1, *[1] * (original.ndim - 1))
    losses = lam * original + (1 - lam) * unreduced(output, partner)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    if _is_cross_entropy(criterion):
        settings = {key: getattr(criterion, key, None) for key in ("weight", "ignore_index")}
        settings |= options
        weights = (_class_weights(y, settings).to(lam.dtype) for y in (target, partner))
        return losses.sum() / (lam * next(weights) + (1 - lam) * next(weights)).sum()
    return losses.mean()


def _without_reduction(criterion: Criterion, options: dict[str, Any]) -> tuple[Criterion, str]:
    if isinstance(criterion, nn.Module) and hasattr(criterion, "reduction"):
        unreduced: Any = copy.copy(criterion)  # shallow: the caller's keeps its own reduction
        unreduced.reduction = "none"
        return unreduced, str(criterion.reduction)
    if not isinstance(criterion, nn.Module):
        parameters = inspect.signature(criterion).parameters
        if "reduction" in parameters:
            reduction = options.get("reduction", parameters["reduction"].default)
            options = options | {"reduction": "none"}
            return lambda output, target: criterion(output, target, **options), reduction
    raise ValueError(
        "with one lam per sample, hard labels need a criterion with a `reduction` to turn off; "
        "give it one, or use one lam per batch, or soft targets"
    )


def _is_cross_entropy(criterion: Criterion) -> bool:
    if isinstance(criterion, nn.CrossEntropyLoss | nn.NLLLoss):
        return True
    return criterion is F.cross_entropy or criterion is F.nll_loss


def _class_weights(target: Tensor, settings: dict[str, Any]) -> Tensor:
    """Weights by which cross-entropy's mean divides: 0 for ignored labels."""
    ignored = settings["ignore_index"]
    counted = target != (-100 if ignored is None else ignored)
    if settings["weight"] is None:
        return counted
    weights: Tensor = settings["weight"][target.where(counted, 0)] * counted
    return weights
