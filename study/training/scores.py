"""Scores of predicted probabilities, in float64 and without heavy imports."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]
Labels = NDArray[np.int64]

N_BINS = 15
"""Of confidence, from 0 to 1."""
UNSURE = (0.25, 0.75)
"""Between these two a binary net is not sure of its prediction."""


def accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Share of samples whose most probable class is the label.

    Args:
        probabilities: (N, C), rows sum to 1.
        labels: (N,) class indices.
    """
    return float(np.mean(probabilities.argmax(1) == labels))


def balanced_accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Mean over the classes of the share of their samples that are given their label."""
    hit = (probabilities.argmax(1) == labels).astype(np.float64)
    counts = np.bincount(labels)
    of_class = np.bincount(labels, weights=hit)[counts > 0] / counts[counts > 0]
    return float(of_class.mean())


def nll(probabilities: Probabilities, labels: Labels) -> float:
    """Mean negative log-likelihood of the labels, in nats."""
    of_label = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(of_label, np.finfo(np.float64).tiny)).mean())


def brier(probabilities: Probabilities, labels: Labels) -> float:
    """Brier score: the mean over samples of ``sum_c (p_c - [c = label])^2``, in [0, 2].

    Source: Brier 1950, whose definition for two classes is twice the one-sided form.
    """
    one_hot = np.eye(probabilities.shape[1])[labels]
    return float(((probabilities - one_hot) ** 2).sum(1).mean())


def bins_of(confidence: NDArray[np.float64], n_bins: int = N_BINS) -> Labels:
    """Put confidences into bins of equal width, each open on the left and closed on the right.

    Args:
        confidence: (N,) in [0, 1].
        n_bins: number of bins.

    Returns:
        (N,) numbers of bins, from 0.
    """
    bins: Labels = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    return bins


def ece(probabilities: Probabilities, labels: Labels, n_bins: int = N_BINS) -> float:
    """Expected calibration error of the top label, in [0, 1].

    ``sum_b n_b / N * |accuracy_b - confidence_b|`` over the bins of `bins_of`.

    Source: Guo et al. 2017, arXiv 1706.04599, section 2.
    """
    confidence = probabilities.max(1)
    hit = probabilities.argmax(1) == labels
    bins = bins_of(confidence, n_bins)
    gaps = np.bincount(bins, weights=hit - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(labels))


def unsure_share(p: NDArray[np.floating]) -> float:
    """Share of probabilities of class 1 that lie between those of `UNSURE`, in [0, 1]."""
    low, high = UNSURE
    return float(np.mean((p > low) & (p < high)))


def low_confidence_area(
    predict: Callable[[NDArray[np.float32]], Probabilities],
    points: NDArray[np.float32],
    resolution: int = 200,
) -> float:
    """Share of the points' bounding box where a binary net is not sure.

    The axis-parallel bounding box of all points, training and test, is cut into
    ``resolution * resolution`` equal cells; the share is the `unsure_share` at their centres.

    Args:
        predict: maps (M, 2) float32 points to (M, 2) probabilities.
        points: (N, 2) points that span the box.
        resolution: cells along each side.

    Returns:
        A share in [0, 1].
    """
    low, high = points.min(0), points.max(0)
    centres = (np.arange(resolution) + 0.5) / resolution
    grid = np.stack(np.meshgrid(*(low + (high - low) * centres[:, None]).T), axis=-1)
    return unsure_share(predict(grid.reshape(-1, 2).astype(np.float32))[:, 1])
