"""Functions over a rectangle of the plane: their values on a grid, and how long a level is."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from contourpy import LineType, contour_generator
from numpy.typing import NDArray

from study.data.dataset import Dataset
from study.training.experiment import ExperimentConfig

Points = NDArray[np.float32]
Values = NDArray[np.floating]
Function = Callable[[Points], Values]

# Between these two the study calls a prediction "of low confidence".
CONFIDENCE_LEVELS = (0.25, 0.75)


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
