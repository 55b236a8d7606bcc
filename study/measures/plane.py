"""A plane that a net tells apart into two classes: its values on a grid, and the line between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from contourpy import LineType, contour_generator
from numpy.typing import NDArray
from scipy.special import expit

from study.data.dataset import Dataset
from study.errors import StudyError
from study.training.experiment import ExperimentConfig
from study.training.scores import unsure_share

if TYPE_CHECKING:
    from study.training.run import Run  # which imports torch

Points = NDArray[np.float32]
Values = NDArray[np.floating]
Function = Callable[[Points], Values]


class Box(NamedTuple):
    """An axis-parallel rectangle, in the order of matplotlib's ``extent``."""

    left: float
    right: float
    bottom: float
    top: float

    @property
    def diagonal(self) -> float:
        """Length of the diagonal, in units of the plane."""
        return float(np.hypot(self.right - self.left, self.top - self.bottom))


def shows_inputs(experiment: ExperimentConfig, dataset: Dataset) -> bool:
    """Whether the plane of the inputs can be drawn: two classes, as the net gets them."""
    net, recipe = experiment.net, experiment.training
    return dataset.in_a_plane and net.kind == "mlp" and not recipe.standardise


def bounding_box(points: Values) -> Box:
    """Give the smallest box around (N, 2) points."""
    left, bottom = points.min(axis=0).tolist()
    right, top = points.max(axis=0).tolist()
    return Box(left, right, bottom, top)


def evaluate_on_box(
    function: Function, box: tuple[float, float, float, float], resolution: int = 200
) -> Values:
    """Evaluate ``function`` at the centres of ``resolution`` x ``resolution`` cells of ``box``.

    Args:
        function: takes (N, 2) float32 points, gives (N,) numbers.
        box: left, right, bottom, top of the rectangle that the cells fill.
        resolution: cells a side.

    Returns:
        (resolution, resolution) numbers; row 0 is the lowest second coordinate.
    """
    return _evaluate(function, box, (np.arange(resolution) + 0.5) / resolution)


def class_1_on_box(
    run: Run, box: tuple[float, float, float, float], resolution: int = 200
) -> Values:
    """Evaluate a run's P(class 1) on a box of its inputs, as `evaluate_on_box` does."""
    return evaluate_on_box(lambda points: run.probabilities(points)[:, 1], box, resolution)


def level_length(function: Function, box: Box, level: float, resolution: int = 200) -> float:
    """Measure the line in ``box`` along which ``function`` equals ``level``.

    The line is that of linear interpolation between the corners of the cells (marching squares),
    exact for a linear function, up to 8 % too long for one that jumps; edges of the box are no
    part of it.

    Args:
        function: takes (N, 2) float32 points, gives (N,) numbers.
        box: the rectangle; the line ends at its edges.
        level: the value.
        resolution: cells a side.

    Returns:
        A length >= 0 in units of the plane; 0 if the function does not cross the level.
    """
    share = np.arange(resolution + 1) / resolution
    x = box.left + (box.right - box.left) * share
    y = box.bottom + (box.top - box.bottom) * share
    values = _evaluate(function, box, share)
    # Of this type, a contour is a list of its lines, each (n, 2) points.
    generator = contour_generator(x, y, values, line_type=LineType.Separate)
    lines: list[NDArray[np.float64]] = generator.lines(level)  # type: ignore[assignment]
    return float(sum(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in lines))


def _evaluate(
    function: Function, box: tuple[float, float, float, float], share: NDArray[np.float64]
) -> Values:
    left, right, bottom, top = box
    x, y = np.meshgrid(left + (right - left) * share, bottom + (top - bottom) * share)
    points = np.column_stack([x.ravel(), y.ravel()]).astype(np.float32)
    return np.asarray(function(points)).reshape(x.shape)


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
    box = bounding_box(dataset.inputs)
    return ClassifiedPlane(lambda at: run.logits(at, 0)[:, 0], box, points, labels)


def low_confidence_share(plane: ClassifiedPlane, resolution: int = 200) -> float:
    """Compute the `unsure_share` of the plane's box, in [0, 1]."""
    return unsure_share(evaluate_on_box(plane.predict, plane.box, resolution))


def boundary_length(plane: ClassifiedPlane, resolution: int = 200) -> float:
    """Compute the length of P(class 1) = 1/2 in diagonals of the plane's box, >= 0.

    It is the line along which the logit is 0, which interpolation finds better than the steps
    that probabilities of a confident net are. The length stays the same where the plane is
    shifted, turned or enlarged as a whole. NaN for a box without extent.
    """
    if not plane.box.diagonal:
        return float("nan")
    return level_length(plane.logits, plane.box, 0.0, resolution) / plane.box.diagonal
