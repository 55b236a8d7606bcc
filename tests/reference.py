"""Mixup by a plain loop over samples, in float64: imports nothing of what it checks."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def mixed(h: npt.ArrayLike, lam: float | Sequence[float], perm: Sequence[int]) -> Array:
    """lam_i * h_i + (1 - lam_i) * h_perm(i), for h of shape (N, ...)."""
    h = np.asarray(h, dtype=np.float64)
    result = np.empty_like(h)
    for i, partner in enumerate(perm):
        weight = lam if isinstance(lam, float) else lam[i]
        result[i] = weight * h[i] + (1 - weight) * h[partner]
    return result


def cross_entropy(
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    weight: Sequence[float] | None = None,
    smoothing: float = 0.0,
) -> Array:
    """-sum_c w_c t_c log softmax(z)_c for each sample; targets (N, C) smoothed first."""
    losses = []
    for z, t in zip(np.asarray(logits, np.float64), np.asarray(target, np.float64), strict=True):
        log_sum = math.log(sum(math.exp(v - max(z)) for v in z)) + max(z)
        t = [(1 - smoothing) * value + smoothing / len(z) for value in t]
        w = weight or [1.0] * len(z)
        losses.append(-sum(w[c] * t[c] * (z[c] - log_sum) for c in range(len(z))))
    return np.array(losses)


def binary_cross_entropy(logits: npt.ArrayLike, target: npt.ArrayLike) -> Array:
    """-(t log p + (1 - t) log(1 - p)) with p = 1 / (1 + exp(-z)), for each number."""
    z, t = np.asarray(logits, np.float64), np.asarray(target, np.float64)
    losses = np.empty_like(z)
    for index in np.ndindex(z.shape):
        p = 1 / (1 + math.exp(-z[index]))
        losses[index] = -(t[index] * math.log(p) + (1 - t[index]) * math.log(1 - p))
    return losses


def onehot(labels: Sequence[int], num_classes: int) -> Array:
    return np.array([[float(c == label) for c in range(num_classes)] for label in labels])
