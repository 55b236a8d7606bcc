"""The loss of a mixed batch, for any criterion that is linear in its target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixup.mixing.checks import found, is_tensor
from mixup.mixing.formula import mix_finite, tensors_of
from mixup.mixing.reductions import (
    REDUCTIONS,
    check_reduction,
    losses_of_samples,
    reduced_by,
    reduction_of,
)
from mixup.mixing.trials import Criterion, check_linear, uncompiled

OF_CLASSES = ("weight", "pos_weight")
CROSS_ENTROPIES = (nn.CrossEntropyLoss.forward, nn.NLLLoss.forward)


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
    *,
    permute: Iterable[str] | None,
    two_terms: bool,
    linear: bool,
) -> Tensor:
    """Compute the loss of a mixed batch; see `MixPlan.loss`."""
    if not isinstance(target, Tensor):
        if next(tensors_of(target), None) is None:
            is_tensor("target", target)
        raise TypeError(
            f"target must be a tensor, got {found(target)}: of several targets, add up one "
            "plan.loss each"
        )
    if not target.ndim or target.shape[0] != perm.shape[0]:
        raise ValueError(f"target has shape {tuple(target.shape)} for a batch of {len(perm)}")
    of_partner = _options_of_partner(options, permute, perm, output)
    numbers = _as_numbers(output, target)
    if numbers is not None and not two_terms and of_partner is options:
        if not linear:
            check_linear(criterion, output, numbers, options)
        return _loss_of_numbers(criterion, output, mix_finite(numbers, lam, perm), options)
    target = target if numbers is None else numbers
    partner = target.index_select(0, perm.to(target.device))
    if isinstance(lam, Tensor):
        lam = lam.to(target.device)
        pairs = (target, options), (partner, of_partner)
        return _loss_per_sample(criterion, output, pairs, lam)
    # Means divide both by the same sum of class weights: the labels of a permutation are the same.
    original = plain_loss(criterion, output, target, options)
    other = plain_loss(criterion, output, partner, of_partner)
    if lam in (0, 1):  # 0 * inf would be no number
        return original if lam else other
    if original.ndim:  # inf - inf neither, and other losses count
        return lam * original + (1 - lam) * other
    return torch.lerp(original, other, 1 - lam)


def _options_of_partner(
    options: dict[str, Any], permute: Iterable[str] | None, perm: Tensor, output: Any
) -> dict[str, Any]:
    """Permute the options that ``permute`` names, or raise if some may have to be."""
    if not options and not permute:
        return options
    if isinstance(permute, str):
        raise TypeError(f"permute must be a list, got {permute!r}: write [{permute!r}]")
    if permute is None:
        per_sample = [
            name
            for name, value in options.items()
            if _length(value) == len(perm) and not _is_of_classes(name, value, output)
        ]
        if per_sample:
            raise ValueError(
                f"{' and '.join(map(repr, per_sample))} have an entry a sample: name in permute=[] "
                "those that belong to the targets and go with them to another output, such as "
                "weights of samples or lengths of targets"
            )
        return options
    permuted = {}
    for name in permute:
        if name not in options:
            raise ValueError(f"there is no option {name!r} to permute, but {', '.join(options)}")
        permuted[name] = _permuted(name, options[name], perm)
    return options | permuted if permuted else options


def _is_of_classes(name: str, value: Any, output: Any) -> bool:
    """Tell whether a weight may be that of classes: that of losses has all their dimensions."""
    return name in OF_CLASSES and getattr(value, "ndim", 1) < getattr(output, "ndim", 2)


def _length(value: Any) -> int | None:
    if isinstance(value, str | bytes | Mapping) or getattr(value, "ndim", 1) == 0:
        return None
    return len(value) if isinstance(value, Sized) else None


def _permuted(name: str, value: Any, perm: Tensor) -> Any:
    if value is None:
        return None
    if (length := _length(value)) != len(perm):
        has = "no entries" if length is None else f"{length} entries"
        raise ValueError(f"{name!r}, which is to be permuted, has {has} for a batch of {len(perm)}")
    if isinstance(value, Tensor):
        return value.index_select(0, perm.to(value.device))
    if isinstance(value, list | tuple):
        return type(value)(value[i] for i in perm.tolist())
    # of numpy, or of pandas, which has labels too
    return getattr(value, "iloc", value)[perm.cpu().numpy()]


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
    # PyTorch would divide by the number of samples, and for hard labels by their weights. Sums of
    # many losses are too large for half precision.
    dtype = torch.promote_types(target.dtype, torch.float32)
    weight = _along_classes(settings["weight"], target).to(dtype)
    total = (target.to(dtype) * weight).sum()
    if isinstance(output, Tensor):
        output = output.to(torch.promote_types(output.dtype, torch.float32))
    options = options | {"weight": weight.flatten()} if "weight" in options else options
    return reduced_by("sum", criterion, output, target.to(dtype), options) / total


def _along_classes(weight: Tensor, target: Tensor) -> Tensor:
    return weight.view([-1 if dim == min(1, target.ndim - 1) else 1 for dim in range(target.ndim)])


def _loss_per_sample(
    criterion: Criterion,
    output: Any,
    pairs: tuple[tuple[Tensor, dict[str, Any]], tuple[Tensor, dict[str, Any]]],
    lam: Tensor,
) -> Tensor:
    (target, options), (partner, _) = pairs
    original, other = (
        losses_of_samples(criterion, output, labels, given) for labels, given in pairs
    )
    dtype = torch.promote_types(original.dtype, torch.float32)  # for the sums of many
    lam = lam.to(dtype).view(-1, *[1] * (original.ndim - 1))
    losses = lam * original.to(dtype) + (1 - lam) * other.to(dtype)
    reduction = reduction_of(criterion, options)
    settings = _cross_entropy_settings(criterion, options)
    if reduction == "none":
        return losses
    if settings is None or reduction == "sum":
        reduce = REDUCTIONS.get(str(reduction), torch.mean)
        if settings is None:
            check_reduction(criterion, reduce, output, target, options)
        return reduce(losses)
    original_weight, partner_weight = (
        _weights_of_targets(labels, settings).to(dtype) for labels in (target, partner)
    )
    return losses.sum() / (lam * original_weight + (1 - lam) * partner_weight).sum()


def _cross_entropy_settings(criterion: Criterion, options: dict[str, Any]) -> dict[str, Any] | None:
    """Return what decides the mean of a cross-entropy; None for any other criterion."""
    if isinstance(criterion, partial):
        return _cross_entropy_settings(criterion.func, criterion.keywords | options)
    criterion = uncompiled(criterion)
    settings = {"weight": None, "ignore_index": -100, "reduction": "mean"}
    if getattr(type(criterion), "forward", None) in CROSS_ENTROPIES:
        return {key: getattr(criterion, key) for key in settings}
    return settings | options if criterion in (F.cross_entropy, F.nll_loss) else None


def _weights_of_targets(target: Tensor, settings: dict[str, Any]) -> Tensor:
    """Return the weights by which cross-entropy's mean divides: 0 for ignored labels."""
    weight: Tensor | None = settings["weight"]
    if target.is_floating_point():
        total = target.sum(1)
        return torch.ones_like(total) if weight is None else (
            (target * _along_classes(weight, target)).sum(1))  # fmt: skip
    counted: Tensor = target != settings["ignore_index"]
    if weight is None:
        return counted
    return weight[target.where(counted, 0)] * counted
