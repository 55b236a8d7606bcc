"""A plane whose points a net tells apart into two classes, and the line between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from study.data.dataset import Dataset
from study.errors import StudyError
from study.measures.measure import Measure
from study.measures.plane import (
    CONFIDENCE_LEVELS,
    Box,
    Function,
    bounding_box,
    evaluate_on_box,
    level_length,
)
from study.training.run import Run

MEASURES = [
    Measure(
        "boundary_length",
        "boundary in the input plane, length",
        seen_in=("methods", "hidden", "hidden_plain"),
        meaning="boundary: the line P(class 1) = 0.5, in diagonals of the box",
    ),
]


@dataclass(frozen=True)
class ClassifiedPlane:
    """A plane whose points a net, or the rest of a net, tells apart into two classes.

    Args:
        logits: takes (N, 2) float32 points of the plane, gives the (N,) float64 logits of class 1.
        box: the part of the plane that is looked at.
        points: (N, 2) float32, where the training points lie.
        labels: (N,) int64 training labels, 0 or 1.
    """

    logits: Function
    box: Box
    points: NDArray[np.float32]
    labels: NDArray[np.int64]

    def predict(self, points: NDArray[np.float32]) -> NDArray[np.float64]:
        """Compute P(class 1), (N,) float64, at (N, 2) float32 points of the plane."""
        p: NDArray[np.float64] = expit(self.logits(points))
        return p


def input_plane(run: Run, dataset: Dataset) -> ClassifiedPlane:
    """Give the plane of a run's inputs, in the bounding box of all points, training and test.

    Raises:
        StudyError: the data are not two classes in a plane.
    """
    if not dataset.in_a_plane:
        raise StudyError(f"{run.folder} is no run of two classes in a plane")
    split = run.split(dataset)
    points, labels = split.train_inputs.numpy(), split.train_labels.numpy()
    return ClassifiedPlane(logits_from(run, 0), bounding_box(dataset.inputs), points, labels)


def logits_from(run: Run, k: int) -> Function:
    """Give the map from (N, D) states after hidden layer k to the (N,) logits of class 1."""

    @torch.no_grad()
    def logits(points: NDArray[np.float32]) -> NDArray[np.float64]:
        of_points: NDArray[np.float64] = run.net(torch.from_numpy(points), start=k).double().numpy()
        return of_points[:, 0]

    return logits


def low_confidence_share(plane: ClassifiedPlane, resolution: int = 200) -> float:
    """Compute the share of the plane's box, in [0, 1], where 0.25 < P(class 1) < 0.75."""
    low, high = CONFIDENCE_LEVELS
    p = evaluate_on_box(plane.predict, plane.box, resolution)
    return float(np.mean((p > low) & (p < high)))


def boundary_length(plane: ClassifiedPlane, resolution: int = 200) -> float:
    """Compute the length of P(class 1) = 1/2 in diagonals of the plane's box, >= 0.

    It is the line along which the logit is 0, which interpolation finds better than the steps
    that probabilities of a confident net are. The length stays the same where the plane is
    shifted, turned or enlarged as a whole. NaN for a box without extent.
    """
    if not plane.box.diagonal:
        return float("nan")
    return level_length(plane.logits, plane.box, 0.0, resolution) / plane.box.diagonal
