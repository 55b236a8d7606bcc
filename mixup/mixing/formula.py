"""The formula of mixup."""

from torch import Tensor


def mix(h: Tensor, lam: float | Tensor, perm: Tensor) -> Tensor:
    """Mix each sample with its partner: ``lam * h + (1 - lam) * h[perm]``."""
    return lam * h + (1 - lam) * h[perm]
