"""What is found out of a criterion by trying it: linear in its target, the mean of its losses."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from inspect import isfunction
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Criterion = Callable[..., Tensor]

KNOWN = {
    *(F.cross_entropy, F.binary_cross_entropy, F.binary_cross_entropy_with_logits),
    *(nn.CrossEntropyLoss, nn.BCELoss, nn.BCEWithLogitsLoss),
}
"""Functions and classes that are linear in a target of numbers, whatever their options."""
SHARES = (0.5, 0.85)  # on the way from one target to the other

_batches: WeakKeyDictionary[Any, dict[Any, int]] = WeakKeyDictionary()


def check_linear(
    criterion: Criterion, output: Any, target: Tensor, options: dict[str, Any]
) -> None:
    """Raise unless the criterion is a straight line between the targets that are tried.

    PyTorch's cross-entropies are known to be. Any other is tried at its 1st, 2nd, 4th, 8th ...
    batch: a criterion of straight pieces, like the hinge loss, shows its kinks only where outputs
    are large enough, and they grow in training. Trials are made on a copy of it, if it has a state,
    and leave torch's generators as they were.

    Args:
        criterion: of (output, target).
        output: of the model.
        target: numbers, of any shape.
        options: passed on to the criterion.

    Raises:
        ValueError: the criterion is not linear in its target.

    Randomness: a generator of its own, the same for every call.
    """
    if not _holds(criterion, "linear", lambda: _is_linear(criterion, output, target, options)):
        raise ValueError(
            f"{name_of(criterion)} is not linear in its target, so the loss of a mixed one is not "
            "that of the two mixed: give terms='two' for lam * loss(y) + (1 - lam) * "
            "loss(y[perm]), or call it on plan.mix_targets(target), or give linear=True if you "
            "know better"
        )


def check_mean(
    criterion: Criterion,
    losses: Criterion,
    output: Any,
    target: Tensor,
    options: dict[str, Any],
) -> None:
    """Raise unless the criterion returns the mean of its losses.

    It is tried at the same batches as by `check_linear`, and as there on copies.

    Args:
        criterion: of (output, target), with a mean that is its own.
        losses: the same, with its mean turned off.
        output: of the model.
        target: labels or numbers.
        options: passed on to the criterion; ``losses`` has them.

    Raises:
        ValueError: the mean is another one.
    """
    if not _holds(criterion, "mean", lambda: _is_mean(criterion, losses, output, target, options)):
        raise ValueError(
            f"the mean of {name_of(criterion)} is not that of its losses: give one lam per batch, "
            "or reduction='sum'"
        )


def name_of(criterion: Criterion) -> str:
    """Name a function, or the class of a module."""
    return str(getattr(criterion, "__name__", type(criterion).__name__))


def _holds(criterion: Criterion, what: str, try_it: Callable[[], bool]) -> bool:
    """Tell whether what mixing takes for granted holds; in between batches that it still does."""
    if (criterion if isfunction(criterion) else type(criterion)) in KNOWN:
        return True
    # A bound method is another object every time.
    owner, method = getattr(criterion, "__self__", criterion), getattr(criterion, "__func__", None)
    try:
        counts = _batches.setdefault(owner, {})
    except TypeError:  # what takes no weak reference is tried at every batch
        counts = {}
    batch = counts.get((method, what), 0) + 1
    if batch & (batch - 1) == 0 and not try_it():
        return False
    counts[method, what] = batch
    return True


@torch.no_grad()
def _is_mean(
    criterion: Criterion,
    losses: Criterion,
    output: Any,
    target: Tensor,
    options: dict[str, Any],
) -> bool:
    own = _tried(criterion, output, target, options)
    each = _tried(losses, output, target, {})
    mean = each.to(torch.promote_types(each.dtype, torch.float32)).mean()
    tolerance = 1e-5 + 4 * torch.finfo(own.dtype).eps
    return torch.allclose(own.to(mean.dtype), mean, rtol=tolerance, atol=tolerance, equal_nan=True)


@torch.no_grad()
def _is_linear(criterion: Criterion, output: Any, target: Tensor, options: dict[str, Any]) -> bool:
    # Half precision is too coarse to tell a straight line from a curve.
    target = target.to(torch.promote_types(target.dtype, torch.float32))
    if isinstance(output, Tensor):
        output = output.to(torch.promote_types(output.dtype, torch.float32))
    for given, one, other in _trials(output, target):
        with torch.autocast(target.device.type, enabled=False):
            first, second, *between = (
                _tried(criterion, given, torch.lerp(one, other, share), options).to(torch.float64)
                for share in (0.0, 1.0, *SHARES)
            )
        tolerance = 100 * torch.finfo(target.dtype).eps * (1 + first.abs() + second.abs())
        for share, value in zip(SHARES, between, strict=True):
            if (torch.lerp(first, second, share) - value).abs().gt(tolerance).any():
                return False
    return True


def _tried(criterion: Criterion, output: Any, target: Tensor, options: dict[str, Any]) -> Tensor:
    """Call a copy of a criterion; what it draws leaves no trace, and is the same every time."""
    device = target.device
    devices = [] if device.type == "cpu" else [device]
    with torch.random.fork_rng(devices, device_type=device.type):
        return _copy(criterion)(output, target, **options)


def _copy(criterion: Criterion) -> Criterion:
    """Copy a criterion and what it changes when it is called, but not its parameters."""
    owner = getattr(criterion, "__self__", criterion)
    parameters = owner.parameters() if isinstance(owner, nn.Module) else ()
    shared = {id(parameter): parameter for parameter in parameters}
    with suppress(Exception):  # it cannot be copied
        return copy.deepcopy(criterion, shared)
    return criterion


def _trials(output: Any, target: Tensor) -> Iterator[tuple[Any, Tensor, Tensor]]:
    """Yield outputs, each with two targets; all of them numbers that the criterion may expect."""
    generator = torch.Generator().manual_seed(0)
    low, high = target.min().clamp_max(0), target.max().clamp_min(1)

    def random_like(tensor: Tensor) -> Tensor:
        return torch.rand(tensor.shape, generator=generator, dtype=tensor.dtype).to(tensor.device)

    def in_range(unit: Tensor) -> Tensor:
        return low + (high - low) * unit

    yield output, target, target.flip(0)
    # From end to end of the range: no kink in it is passed over.
    corner = random_like(target).round()
    yield output, in_range(corner), in_range(1 - corner)
    if isinstance(output, Tensor):
        output = in_range(random_like(output))
    yield output, in_range(random_like(target)), in_range(random_like(target))
