"""The least loss that mixed targets allow."""

from __future__ import annotations

import math
from typing import overload

import torch
from torch import Tensor

from mixup.mixing.checks import fraction, positive


@overload
def binary_entropy(lam: float) -> float: ...


@overload
def binary_entropy(lam: Tensor) -> Tensor: ...


def binary_entropy(lam: float | Tensor) -> float | Tensor:
    """Compute ``-lam log lam - (1 - lam) log(1 - lam)`` in nats, of a tensor in float64."""
    if isinstance(lam, Tensor):
        lam = lam.to(torch.float64)
        entropy: Tensor = torch.special.entr(lam) + torch.special.entr(1 - lam)
        return entropy
    return sum(-p * math.log(p) for p in (lam, 1 - lam) if p)


def entropy_floor(alpha: float, beta: float | None = None, *, p_different: float = 1.0) -> float:
    """Compute the expected entropy of mixed targets, the floor of the mixed cross-entropy.

    ``E[H] = P(y != y') * (psi(a + b + 1) - (a psi(a + 1) + b psi(b + 1)) / (a + b))`` for
    ``lam ~ Beta(a, b)``, with psi the digamma function. No network can have a lower mean
    cross-entropy on mixed hard labels, so train losses with and without mixing compare only
    after it is subtracted.

    Source: derived here; with a = b it is ``P(y != y') * (psi(2 a + 1) - psi(a + 1))``.

    Args:
        alpha: first parameter of the Beta distribution, > 0.
        beta: second parameter, > 0; ``alpha`` when None.
        p_different: probability that a sample and its partner have different labels, in [0, 1].
            Of C equally frequent classes and partners at random it is ``1 - 1 / C``.

    Returns:
        The floor in nats, for one-hot targets and for a single binary one alike.

    Raises:
        TypeError: one of them is no number.
        ValueError: ``alpha`` or ``beta`` is not positive, or ``p_different`` is no probability.

    Example:
        >>> round(entropy_floor(1.0), 6)
        0.5
    """
    beta = alpha if beta is None else beta
    for name, value in (("alpha", alpha), ("beta", beta)):
        positive(name, value)
    fraction("p_different", p_different)
    whole, first, second = torch.special.digamma(
        torch.tensor([alpha + beta + 1, alpha + 1, beta + 1], dtype=torch.float64)
    ).tolist()
    floor: float = p_different * (whole - (alpha * first + beta * second) / (alpha + beta))
    return floor
