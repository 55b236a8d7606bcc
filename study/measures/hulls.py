"""Convex hulls of classes in the plane: how much of it they cover, and how much they overlap."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial import ConvexHull, QhullError

RASTER = 512
CORE = 0.95


def hull_shares(
    states: np.ndarray, labels: np.ndarray, raster: int = RASTER
) -> tuple[float, float]:
    """Measure how much the convex hulls of the classes cover, and how much of that they share.

    The points' bounding box is cut into ``raster`` x ``raster`` cells; a hull covers those whose
    centres lie in it. A class whose points are on a line has no area. One stray point, such as a
    digit mistaken for another, can widen a hull a lot; see `core`.

    Args:
        states: (N, 2) float.
        labels: (N,) int.
        raster: cells along each side of the box.

    Returns:
        The share of the box that is covered, NaN if the box has no area; and the share of the
        covered cells that lie in two hulls or more, NaN if no hull has an area. With an overlap of
        0 a straight line separates any two classes, which is where a margin between them begins.
    """
    hulls = _hulls_over_box(states, labels, raster)
    if hulls is None:
        return float("nan"), float("nan")
    n_covered = (hulls > 0).sum()
    overlap = (hulls > 1).sum() / n_covered if n_covered else float("nan")
    return float((hulls > 0).mean()), float(overlap)


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
    """
    kept = np.zeros(len(states), dtype=bool)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        distances = np.linalg.norm(states[places] - np.median(states[places], axis=0), axis=1)
        nearest = np.argsort(distances, kind="stable")[: math.ceil(share * len(places))]
        kept[places[nearest]] = True
    return states[kept], labels[kept]


def of_classes(states: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Give the states of each class, in the order of their labels."""
    return [states[labels == label] for label in np.unique(labels)]


def _hulls_over_box(states: np.ndarray, labels: np.ndarray, raster: int) -> np.ndarray | None:
    """Count, for each cell of the points' bounding box, the class hulls that hold its centre."""
    states = np.asarray(states, dtype=np.float64)
    low, extent = states.min(axis=0), np.ptp(states, axis=0)
    if not extent.all():
        return None
    centres = (np.arange(raster) + 0.5) / raster
    hulls = np.zeros((raster, raster), dtype=np.int64)
    for members in of_classes((states - low) / extent, labels):
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
