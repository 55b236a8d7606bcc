"""Checks of arguments: an error names the argument, says what was found, and what to do.

What a training step calls is looked at only after it failed, so that a right one pays nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from operator import index
from typing import Any, SupportsFloat

import torch
from torch import Tensor, nn

MODEL_FIRST = "the model comes first, as in ManifoldMixup(model, layers, alpha)"
GIVE_TENSORS = "give tensors, such as torch.as_tensor(x, dtype=torch.float32)"


def found(value: Any) -> str:
    """Say what was found, in a few words."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, str):
        return f"the str {value!r}"
    if value is None or isinstance(value, int | float):
        return repr(value)
    name = f"a {type(value).__name__}"
    if isinstance(value, Mapping):
        return f"{name} of {', '.join(map(str, value))}"
    return f"{name} of {len(value)} items" if isinstance(value, tuple | list) else name


def shape(tensor: Tensor) -> tuple[int, ...]:
    """Give the shape as it is printed."""
    return tuple(tensor.shape)


def short(value: float | Tensor) -> str:
    """Write a number, or those of a tensor, on one line."""
    if not isinstance(value, Tensor):
        return f"{value:.4f}"
    form = "{:.4f}" if value.is_floating_point() else "{}"
    items = [form.format(item) for item in value.tolist()]
    if len(items) > 12:
        items = [*items[:9], "...", *items[-2:]]
    return f"[{', '.join(items)}]"


def number(name: str, value: Any) -> float:
    """Return what is a number as a float; TypeError for strings, which only look like one."""
    if isinstance(value, SupportsFloat) and not isinstance(value, type):
        try:
            return float(value)
        except (TypeError, ValueError, RuntimeError):  # an array or tensor of several
            pass
    raise TypeError(f"{name} must be a number, got {found(value)}: give one, such as 1.0")


def positive(name: str, value: Any) -> float:
    """Return a number > 0 as a float."""
    as_float = number(name, value)
    if not (as_float > 0 and math.isfinite(as_float)):
        raise ValueError(f"{name} must be > 0 and finite, got {value}")
    return as_float


def not_negative(name: str, value: Any) -> float:
    """Return a number >= 0 as a float."""
    as_float = number(name, value)
    if not (as_float >= 0 and math.isfinite(as_float)):
        raise ValueError(f"{name} must be >= 0 and finite, got {value}")
    return as_float


def fraction(name: str, value: Any) -> float:
    """Return a number in [0, 1] as a float."""
    as_float = number(name, value)
    if not 0 <= as_float <= 1:
        raise ValueError(f"{name} must be in [0, 1], got {value}")
    return as_float


def whole(name: str, value: Any) -> int:
    """Return a whole number as an int."""
    try:
        return index(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, got {found(value)}") from None


def size(name: str, value: Any) -> int:
    """Return a whole number >= 0 as an int."""
    as_int = whole(name, value)
    if as_int < 0:
        raise ValueError(f"{name} must be an int >= 0, got {as_int}")
    return as_int


def indices(name: str, value: Any, n: int) -> Tensor:
    """Return indices below ``n``, or a boolean for each of them, as indices: int64 (K,)."""
    given = torch.as_tensor(value)
    if given.ndim != 1 or (len(given) and given.is_floating_point()) or given.is_complex():
        raise ValueError(
            f"{name} must be integers or booleans of shape (K,), got {given.dtype} {shape(given)}"
        )
    if given.dtype == torch.bool:
        if len(given) != n:
            raise ValueError(f"{name} must be booleans of shape ({n},), got {shape(given)}")
        return given.nonzero().flatten()
    index = given.to(torch.int64)
    if len(index) and not (index.min() >= 0 and index.max() < n):
        raise ValueError(f"{name} must be from 0 to {n - 1}, got {short(index)}")
    if len(set(index.tolist())) < len(index):
        raise ValueError(f"{name} must have each sample once, got {short(index)}")
    return index


def is_tensor(name: str, value: Any) -> None:
    """Raise TypeError unless it is a tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(
            f"{name} must be a tensor, got {found(value)}: give torch.as_tensor({name})"
        )


def is_module(name: str, value: Any, advice: str = "") -> None:
    """Raise TypeError unless it is a module: a class is none yet."""
    if isinstance(value, type):
        advice = _instance_of(value)
    if not isinstance(value, nn.Module):
        advice = f": {advice}" if advice else ""
        raise TypeError(f"{name} must be an nn.Module, got {found(value)}{advice}")


def is_criterion(value: Any) -> None:
    """Raise TypeError unless it can be called for a loss."""
    if isinstance(value, type) or not callable(value):
        advice = "the order is plan.loss(criterion, output, target)"
        advice = _instance_of(value) if isinstance(value, type) else advice
        raise TypeError(f"criterion must be a function or a module, got {found(value)}: {advice}")


def _instance_of(kind: type) -> str:
    return f"give an instance, {kind.__name__}(...)"
