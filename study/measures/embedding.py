"""Measures of a 2-D embedding: how tight the classes are, how far apart, how much room they take.

All measures are free of scale: shifting the states or multiplying them by a constant changes
nothing, so networks whose states differ in size can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.spatial.distance import cdist

from study.measures.bottleneck import States, units
from study.measures.hulls import core, hull_shares, of_classes
from study.measures.measure import Measure, of_training
from study.paths import RunKey
from study.training.experiment import ExperimentConfig

SILHOUETTE_POINTS = 5000
_OF_TEST = [
    Measure(
        "test_scatter_ratio",
        "between-/within-class scatter, test",
        seen_in=("methods", "bottleneck"),
        said_in=("bottleneck",),
        headline=True,
    ),
    Measure("test_silhouette", "silhouette, test", seen_in=("methods", "bottleneck")),
    Measure("test_hull_coverage", "share of plane in class hulls, test"),
    Measure("test_hull_overlap", "share of hulls that overlap, test"),
    Measure(
        "test_core_hull_coverage",
        "share of plane in class cores, test",
        seen_in=("methods", "bottleneck"),
        said_in=("bottleneck",),
        meaning="class core: convex hull of the 95 % of a class's test states "
        "that are nearest to their centre",
        headline=True,
    ),
    Measure(
        "test_core_hull_overlap",
        "share of cores that overlap, test",
        seen_in=("methods", "bottleneck"),
    ),
]
MEASURES = [
    *_OF_TEST,
    Measure("test_nearest_centroid_accuracy", "accuracy by the nearest class mean, test"),
    *of_training(_OF_TEST),
]


def applies(key: RunKey, experiment: ExperimentConfig) -> bool:
    """Whether the bottleneck has two units, in the experiment and in the method's own net.

    Where an experiment with a wider one compares widths, `spectra` measures all its methods.
    """
    return units(experiment.net) == units(experiment.net_of(key.method)) == 2


def embedding_measures(splits: Mapping[str, States]) -> dict[str, float]:
    """Measure one network's embedding of its training and of its test points.

    Args:
        splits: for ``"train"`` and ``"test"``, states (N, 2) float and labels (N,) int.

    Returns:
        A number for each measure of this module, its name prefixed by ``train_`` or ``test_``;
        nearest-centroid accuracy for the test points only. The hulls are measured twice: around
        all points, and, as ``core_hull_...``, around the `core` of each class.

    Raises:
        ValueError: the points of a split are all of one class.
    """
    measures: dict[str, float] = {}
    for split, (states, labels) in splits.items():
        measures[f"{split}_scatter_ratio"] = scatter_ratio(states, labels)
        measures[f"{split}_silhouette"] = silhouette(states, labels)
        for name, points in {"hull": (states, labels), "core_hull": core(states, labels)}.items():
            coverage, overlap = hull_shares(*points)
            measures |= {f"{split}_{name}_coverage": coverage, f"{split}_{name}_overlap": overlap}
    measures["test_nearest_centroid_accuracy"] = nearest_centroid_accuracy(
        *splits["train"], *splits["test"]
    )
    return measures


def scatter_ratio(states: np.ndarray, labels: np.ndarray) -> float:
    """Divide the scatter between classes by the scatter within them: tr(S_B) / tr(S_W).

    S_B is the sum over classes of n_c (m_c - m)(m_c - m)^T, S_W the sum over points of
    (h - m_c)(h - m_c)^T, with m_c the mean of the n_c points of class c and m the mean of all.
    Larger means tighter classes that are further apart.

    Source: Fukunaga, Introduction to Statistical Pattern Recognition, 2nd ed., 1990, section
    10.2, criterion J4 with S_1 = S_B, S_2 = S_W.

    Args:
        states: (N, D) float.
        labels: (N,) int.

    Returns:
        A number >= 0: inf if every class is a single point, NaN if all points are one.
    """
    states = np.asarray(states, dtype=np.float64)
    within, between = 0.0, 0.0
    for members in of_classes(states, labels):
        mean = members.mean(axis=0)
        within += np.square(members - mean).sum()
        between += len(members) * np.square(mean - states.mean(axis=0)).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.divide(between, within))


def silhouette(
    states: np.ndarray, labels: np.ndarray, max_points: int = SILHOUETTE_POINTS
) -> float:
    """Average the silhouette coefficient, (b - a) / max(a, b), over the points.

    For each point, a is its mean distance to its own class, b the smallest mean distance to
    another class.

    Source: Rousseeuw, Journal of Computational and Applied Mathematics 20, 1987.
    Its cost grows with N^2, so more than ``max_points`` points are thinned evenly, each class
    keeping its share.

    Args:
        states: (N, D) float.
        labels: (N,) int, of at least two classes.
        max_points: how many points to use at most.

    Returns:
        A number in [-1, 1]; larger means tighter classes that are further apart.

    Raises:
        ValueError: fewer than two classes, or as many classes as points.
    """
    from sklearn.metrics import silhouette_score

    states, labels = np.asarray(states, dtype=np.float64), np.asarray(labels)
    if len(states) > max_points:
        by_class = np.argsort(labels, kind="stable")
        kept = by_class[np.arange(max_points) * len(states) // max_points]
        states, labels = states[kept], labels[kept]
    return float(silhouette_score(cdist(states, states), labels, metric="precomputed"))


def nearest_centroid_accuracy(
    train_states: np.ndarray,
    train_labels: np.ndarray,
    test_states: np.ndarray,
    test_labels: np.ndarray,
) -> float:
    """Classify test points by the nearest class mean of the training points; give the accuracy.

    Args:
        train_states: (N, D) float.
        train_labels: (N,) int.
        test_states: (M, D) float.
        test_labels: (M,) int.

    Returns:
        The share of test points, in [0, 1], whose nearest mean is that of their own class.
    """
    from sklearn.metrics import pairwise_distances_argmin

    train_states = np.asarray(train_states, dtype=np.float64)
    means = np.stack([members.mean(axis=0) for members in of_classes(train_states, train_labels)])
    nearest = pairwise_distances_argmin(np.asarray(test_states, dtype=np.float64), means)
    return float((np.unique(train_labels)[nearest] == test_labels).mean())
