"""How a criterion reduces its losses, and what these are without it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mixup.mixing.trials import Criterion, is_known, name_of, tried

REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sum": torch.sum,
    "batchmean": lambda losses: losses.sum() / len(losses),  # of the Kullback-Leibler divergence
}
"""Others are a mean."""


def reduction_of(criterion: Criterion, options: dict[str, Any]) -> str | None:
    """Return how the criterion reduces its losses; None if it cannot be told."""
    if isinstance(criterion, nn.Module):
        reduction: Any = getattr(criterion, "reduction", None)
        return reduction if isinstance(reduction, str) else None
    with suppress(TypeError, ValueError):  # it has no signature
        parameter = inspect.signature(criterion).parameters.get("reduction")
        if parameter:
            return str(options.get("reduction", parameter.default))
    return None


def losses_of_samples(
    criterion: Criterion, output: Any, target: Tensor, options: dict[str, Any]
) -> Tensor:
    """Compute the losses of samples, (N, ...)."""
    losses = reduced_by("none", criterion, output, target, options)
    if not losses.ndim or len(losses) != len(target):
        raise ValueError(
            f"with reduction='none', {name_of(criterion)} returns shape {tuple(losses.shape)}, not "
            f"the losses of {len(target)} samples: give one lam per batch"
        )
    return losses


def reduced_by(
    reduction: str, criterion: Criterion, output: Any, target: Tensor, options: dict[str, Any]
) -> Tensor:
    """Call the criterion with another reduction than its own.

    Raises:
        ValueError: it has none.
    """
    own = reduction_of(criterion, options)
    if own is None:
        raise ValueError(
            "with one lam per sample, hard labels need a criterion with a `reduction` to turn off; "
            "give it one, or use one lam per batch, or soft targets"
        )
    if not isinstance(criterion, nn.Module):
        return criterion(output, target, **(options | {"reduction": reduction}))
    module: Any = criterion
    module.reduction = reduction  # not of a copy, which would take what the module learns with it
    try:
        reduced: Tensor = module(output, target, **options)
    finally:
        module.reduction = own
    return reduced


def check_reduction(
    criterion: Criterion,
    reduce: Callable[[Tensor], Tensor],
    output: Any,
    target: Tensor,
    options: dict[str, Any],
) -> None:
    """Raise unless the criterion reduces its losses as is taken for granted.

    It is tried at every batch, as it may divide by what only some have, such as labels that count
    for nothing. Trials are made as by `check_linear`.

    Args:
        criterion: of (output, target).
        reduce: how it is taken to reduce them.
        output: of the model.
        target: labels or numbers.
        options: passed on to the criterion.

    Raises:
        ValueError: what the criterion returns is something else.
    """
    if is_known(criterion):
        return
    own = tried(criterion, output, target, options).detach()
    each = tried(partial(losses_of_samples, criterion), output, target, {"options": options})
    each = each.detach().to(torch.promote_types(each.dtype, torch.float32))
    tolerance = 1e-5 + 4 * torch.finfo(own.dtype).eps
    size = float(reduce(each.abs().nan_to_num(0, 0, 0)))
    expected = reduce(each).to(own.dtype)
    if not torch.allclose(own, expected, rtol=tolerance, atol=tolerance * size, equal_nan=True):
        raise ValueError(
            f"what {name_of(criterion)} returns is not the mean of its losses, or their sum, as "
            "its reduction says: give one lam per batch, or reduction='sum'"
        )
