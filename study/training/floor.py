"""The least loss that mixed targets allow: no net can say of a mixed sample which it is of two."""

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from mixup.mixing.plan import MixPlan


class Floor:
    """The least mean loss of a step, given how it mixes.

    ``p_different_labels * H(lam)`` with ``H(lam) = -lam log lam - (1 - lam) log(1 - lam)``, in
    nats: what the batches of a run allow on average over their partners, for one lam a batch. It
    is 0 for a step that does not mix its targets.

    Args:
        labels: (n,) int, those of the training data, or (n, L) of 0 and 1; n >= 2.
        batch_size: B.
    """

    def __init__(self, labels: Sequence[int] | np.ndarray | Tensor, batch_size: int) -> None:
        columns = np.asarray(labels).reshape(len(labels), -1).T  # of many labels, their mean
        self._p_different = float(np.mean([p_different_labels(one, batch_size) for one in columns]))

    def __call__(self, plan: MixPlan | None) -> float:
        """Compute the floor of a step from what it mixed, None for nothing."""
        if plan is None or not plan.mixes_labels:
            return 0.0
        lam = float(plan.lam)
        return self._p_different * sum(-p * math.log(p) for p in (lam, 1 - lam) if p)


def p_different_labels(labels: Sequence[int] | np.ndarray | Tensor, batch_size: int) -> float:
    """Compute the probability that a sample and its partner in a batch have different labels.

    ``(1 - 1 / B) * (1 - sum_c n_c (n_c - 1) / (n (n - 1)))``: of a random permutation of B
    samples, a sample is its own partner with probability 1 / B; any other partner is one of the
    remaining n - 1 training samples, each as likely, as a batch is drawn without replacement.

    Args:
        labels: (n,) int, those of the training data; n >= 2.
        batch_size: B.

    Returns:
        A number in [0, 1].
    """
    counts = np.unique(np.asarray(labels), return_counts=True)[1].astype(np.float64)
    n = counts.sum()
    same = (counts * (counts - 1)).sum() / (n * (n - 1))
    return float((1 - 1 / batch_size) * (1 - same))
