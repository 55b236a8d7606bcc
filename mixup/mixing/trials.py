"""Whether a criterion is linear in its target, found out by trying it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
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
    are large enough, and they grow in training. Trials are made on a copy of it, if it is a module,
    and leave torch's generators as they were.

    Args:
        criterion: of (output, target).
        output: of the model.
        target: numbers, of any shape.
        options: passed on to the criterion.

    Raises:
        ValueError: the criterion is not linear in its target, or fails at a trial.

    Randomness: a generator of its own, the same for every call.
    """
    if is_known(criterion):
        return
    # A bound method is another object every time.
    owner = getattr(criterion, "__self__", criterion)
    method = id(getattr(criterion, "__func__", None))
    try:
        counts = _batches.setdefault(owner, {})
    except TypeError:  # what takes no weak reference is tried at every batch
        counts = {}
    batch = counts.get(method, 0) + 1
    if batch & (batch - 1) == 0 and not _is_linear(criterion, output, target, options):
        raise ValueError(
            f"{name_of(criterion)} is not linear in its target, so the loss of a mixed one is not "
            "that of the two mixed: give terms='two' for lam * loss(y) + (1 - lam) * "
            "loss(y[perm]), or call it on plan.mix_targets(target), or give linear=True if you "
            "know better"
        )
    counts[method] = batch


def is_known(criterion: Criterion) -> bool:
    """Tell whether a criterion is one of PyTorch's cross-entropies."""
    criterion = uncompiled(criterion)
    return (criterion if isfunction(criterion) else type(criterion)) in KNOWN


def uncompiled(criterion: Any) -> Any:
    """Return the criterion inside `torch.compile`."""
    name = "_orig_mod" if isinstance(criterion, nn.Module) else "_torchdynamo_orig_callable"
    return getattr(criterion, name, criterion)


def name_of(criterion: Criterion) -> str:
    """Name a function, or the class of a module."""
    return str(getattr(criterion, "__name__", type(criterion).__name__))


@torch.no_grad()
def _is_linear(criterion: Criterion, output: Any, target: Tensor, options: dict[str, Any]) -> bool:
    # Half precision is too coarse to tell a straight line from a curve.
    target = target.to(torch.promote_types(target.dtype, torch.float32))
    if isinstance(output, Tensor):
        output = output.to(torch.promote_types(output.dtype, torch.float32))
    for given, one, other in _trials(output, target):
        try:
            with torch.autocast(target.device.type, enabled=False):
                first, second, *between = (
                    tried(criterion, given, torch.lerp(one, other, share), options).double()
                    for share in (0.0, 1.0, *SHARES)
                )
        except Exception as error:
            raise ValueError(
                f"{name_of(criterion)} fails at outputs and targets that are made up to see "
                "whether it is linear in its target: give linear=True if it is, else terms='two'"
            ) from error
        tolerance = 100 * torch.finfo(target.dtype).eps * (1 + first.abs() + second.abs())
        for share, value in zip(SHARES, between, strict=True):
            if (torch.lerp(first, second, share) - value).abs().gt(tolerance).any():
                return False
    return True


def tried(criterion: Criterion, output: Any, target: Tensor, options: dict[str, Any]) -> Tensor:
    """Call a copy of a criterion; what it draws leaves no trace, and is the same every time."""
    device = target.device
    devices = [] if device.type == "cpu" else [device]
    with torch.random.fork_rng(devices, device_type=device.type):
        return _copy(criterion)(output, target, **options)


def _copy(criterion: Criterion) -> Criterion:
    """Copy a module, or the one whose method it is, and what it changes, but not its parameters."""
    if isinstance(criterion, partial):
        copied = (_copy(of) if callable(of) else of for of in criterion.args)
        return partial(_copy(criterion.func), *copied, **criterion.keywords)
    owner = getattr(criterion, "__self__", criterion)
    if not isinstance(owner, nn.Module):  # a copy may be large, and of a function is none
        return criterion
    shared = {id(parameter): parameter for parameter in owner.parameters()}
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
