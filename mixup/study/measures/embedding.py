"""Measures of a 2-D embedding: how tight the classes are, how far apart, how much room they take.

All measures are free of scale: shifting the states or multiplying them by a constant changes
nothing, so networks whose states differ in size can be compared.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise_distances_argmin, silhouette_score

SILHOUETTE_POINTS = 5000
RASTER = 512
CORE = 0.95


def embedding_measures(
    train_states: np.ndarray,
    train_labels: np.ndarray,
    test_states: np.ndarray,
    test_labels: np.ndarray,
) -> dict[str, float]:
    """Measure one network's embedding of its training and of its test points.

    Args:
        train_states: (N, 2) float.
        train_labels: (N,) int class indices.
        test_states: (M, 2) float.
        test_labels: (M,) int.

    Returns:
        A number for each measure of this module, its name prefixed by ``train_`` or ``test_``;
        nearest-centroid accuracy for the test points only. The hulls are measured twice: around
        all points, and, as ``core_hull_...``, around the `core` of each class.

    Raises:
        ValueError: the points of a split are all of one class.

    Randomness: none.
    """
    measures: dict[str, float] = {}
    splits = {"train": (train_states, train_labels), "test": (test_states, test_labels)}
    for split, (states, labels) in splits.items():
        measures[f"{split}_scatter_ratio"] = scatter_ratio(states, labels)
        measures[f"{split}_silhouette"] = silhouette(states, labels)
        for name, points in {"hull": (states, labels), "core_hull": core(states, labels)}.items():
            measures[f"{split}_{name}_coverage"] = hull_coverage(*points)
            measures[f"{split}_{name}_overlap"] = hull_overlap(*points)
    measures["test_nearest_centroid_accuracy"] = nearest_centroid_accuracy(
        train_states, train_labels, test_states, test_labels
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

    Randomness: none.
    """
    states = np.asarray(states, dtype=np.float64)
    within, between = 0.0, 0.0
    for members in _classes(states, labels):
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

    Randomness: none.
    """
    states, labels = np.asarray(states, dtype=np.float64), np.asarray(labels)
    if len(states) > max_points:
        by_class = np.argsort(labels, kind="stable")
        kept = by_class[np.arange(max_points) * len(states) // max_points]
        states, labels = states[kept], labels[kept]
    return float(silhouette_score(cdist(states, states), labels, metric="precomputed"))


def hull_coverage(states: np.ndarray, labels: np.ndarray, raster: int = RASTER) -> float:
    """Give the share of the points' bounding box that the convex hulls of the classes cover.

    The box is cut into ``raster`` x ``raster`` cells; a cell counts if its centre lies in at
    least one hull. A class whose points are on a line has no area. One stray point, such as a
    digit mistaken for another, can widen a hull a lot; see `core`.

    Args:
        states: (N, 2) float.
        labels: (N,) int.
        raster: cells along each side of the box.

    Returns:
        A number in [0, 1]; NaN if the box has no area.

    Randomness: none.
    """
    hulls = _hulls_over_box(states, labels, raster)
    return float(np.nan if hulls is None else (hulls > 0).mean())


def hull_overlap(states: np.ndarray, labels: np.ndarray, raster: int = RASTER) -> float:
    """Give the share of the area covered by class hulls that two or more of them cover.

    Measured on the same cells as `hull_coverage`. 0 means that a straight line separates any
    two classes, which is where a margin between them begins.

    Args:
        states: (N, 2) float.
        labels: (N,) int.
        raster: cells along each side of the box.

    Returns:
        A number in [0, 1]; NaN if no hull has an area.

    Randomness: none.
    """
    hulls = _hulls_over_box(states, labels, raster)
    if hulls is None or not hulls.any():
        return float("nan")
    return float((hulls > 1).sum() / (hulls > 0).sum())


def core(
    states: np.ndarray, labels: np.ndarray, share: float = CORE
) -> tuple[np.ndarray, np.ndarray]:
    """Keep the ``share`` of each class's points that are nearest to the class's median point.

    The median is taken in each coordinate, the distance is Euclidean.

    Args:
        states: (N, D) float.
        labels: (N,) int.
        share: in (0, 1]; the count is rounded up.

    Returns:
        The states and labels kept, in their order.

    Randomness: none.
    """
    kept = np.zeros(len(states), dtype=bool)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        distances = np.linalg.norm(states[places] - np.median(states[places], axis=0), axis=1)
        nearest = np.argsort(distances, kind="stable")[: math.ceil(share * len(places))]
        kept[places[nearest]] = True
    return states[kept], labels[kept]


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

    Randomness: none.
    """
    train_states = np.asarray(train_states, dtype=np.float64)
    means = np.stack([members.mean(axis=0) for members in _classes(train_states, train_labels)])
    nearest = pairwise_distances_argmin(np.asarray(test_states, dtype=np.float64), means)
    return float((np.unique(train_labels)[nearest] == test_labels).mean())


def _classes(states: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    return [states[labels == label] for label in np.unique(labels)]


def _hulls_over_box(states: np.ndarray, labels: np.ndarray, raster: int) -> np.ndarray | None:
    """Count, for each cell of the points' bounding box, the class hulls that hold its centre."""
    states = np.asarray(states, dtype=np.float64)
    low, extent = states.min(axis=0), np.ptp(states, axis=0)
    if not extent.all():
        return None
    centres = (np.arange(raster) + 0.5) / raster
    hulls = np.zeros((raster, raster), dtype=np.int64)
    for members in _classes((states - low) / extent, labels):
        try:
            facets = ConvexHull(members).equations
        except QhullError:  # too few points, or all on one line
            continue
        ends = zip(members.min(axis=0), members.max(axis=0), strict=True)
        x, y = (slice(*np.searchsorted(centres, end)) for end in ends)
        inside = np.ones_like(hulls[x, y], dtype=bool)
        for a, b, offset in facets:
            inside &= a * centres[x, None] + b * centres[None, y] + offset <= 0
        hulls[x, y] += inside
    return hulls
