"""Probability maps: what each net believes over the plane of a two-feature, two-class data set."""

from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from study.figures.style import (
    BINARY_COLOURS,
    PROBABILITY_MAP,
    PROBABILITY_NORM,
    listed_numbers,
    method_label,
    new_figure,
    shared_panels,
    styled,
)
from study.training.scores import UNSURE, unsure_share

TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
# Steps of 0.05: flat areas can be read off the scale and make small files. Without the darkest
# shades, which are those of the points.
COLOURS = ListedColormap(matplotlib.colormaps[PROBABILITY_MAP](np.linspace(0.16, 0.84, 20)))


@dataclass(frozen=True)
class ProbabilityMap:
    """What one run predicts over a box, and the points it was trained on.

    Args:
        probability: (H, W) float in [0, 1], P(class 1) at the cells' centres; row 0 is the lowest
            second coordinate.
        box: left, right, bottom, top edge of the map, in units of the data.
        points: (N, 2) training inputs.
        labels: (N,) int training labels, 0 or 1.
        test_accuracy: of the same run, in [0, 1].
    """

    probability: NDArray[np.floating]
    box: tuple[float, float, float, float]
    points: NDArray[np.floating]
    labels: NDArray[np.integer]
    test_accuracy: float


@styled()
def draw_boundaries(maps: Mapping[str, Mapping[int, ProbabilityMap]], title: str) -> Figure:
    """Draw one probability map a run, all on one colour scale.

    Methods are in rows and seeds in columns; with one seed, methods fill rows of three. Each
    panel says what share of its area is unsure.

    Args:
        maps: method -> seed -> map; every method has the same seeds.
        title: names the experiment and says of how many seeds it is.
    """
    runs = [(method, seed, drawn) for method, of in maps.items() for seed, drawn in of.items()]
    n_seeds = len(runs) // len(maps)
    n_columns = n_seeds if n_seeds > 1 else min(3, len(maps))
    n_rows = -(-len(runs) // n_columns)
    figure = _figure_for(n_rows, n_columns, runs[0][2].box)
    panels = shared_panels(figure, n_rows, n_columns)
    for axes, (method, seed, drawn) in zip(panels.flat, runs, strict=False):
        draw_map(axes, drawn)
        unsure = unsure_share(drawn.probability)
        numbers = f"accuracy {drawn.test_accuracy:.3f}, unsure area {unsure:.2f}"
        axes.set_title(f"{method_label(method)}, seed {seed}\n{numbers}", fontsize=8)
    for axes in panels.flat[len(runs) :]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("$x_2$")
    for axes in panels[-1]:
        axes.set_xlabel("$x_1$")
    scale = ScalarMappable(PROBABILITY_NORM, COLOURS)
    bar = figure.colorbar(
        scale,
        ax=panels,
        location="top",
        aspect=50,
        ticks=TICKS,
        # shares of the height of all panels
        fraction=0.15 / n_rows,
        pad=0.05 / n_rows,
    )
    bar.set_label("predicted probability of class 1")
    n_points = listed_numbers(len(drawn.points) for _, _, drawn in runs)
    figure.suptitle(
        f"{title}: predictions over the plane, {n_points} training points on top\n"
        f"blue circles: class 0; red triangles: class 1; thin lines: probability {UNSURE[0]} and\n"
        f"{UNSURE[1]}, between them the net is unsure; accuracy is that on test data",
        fontsize=9.5,
    )
    return figure


def _figure_for(n_rows: int, n_columns: int, box: tuple[float, float, float, float]) -> Figure:
    left, right, bottom, top = box
    width = max(2.1 * n_columns + 0.5, 5.2)
    panel_height = ((width - 0.5) / n_columns - 0.15) * (top - bottom) / (right - left)
    figure = new_figure(width, n_rows * (panel_height + 0.42) + 1.55)
    figure.set_layout_engine("compressed")  # panels keep the box's proportions, without gaps
    return figure


def draw_map(axes: Axes, drawn: ProbabilityMap, size: float = 9) -> None:
    """Draw a map, its lines of low confidence, and the training points.

    Args:
        axes: where; gets the limits of the map.
        drawn: the map.
        size: area of a training point's marker, in square points.
    """
    axes.imshow(
        drawn.probability,
        origin="lower",
        extent=drawn.box,
        cmap=COLOURS,
        norm=PROBABILITY_NORM,
        interpolation="nearest",
    )
    low, high = drawn.probability.min(), drawn.probability.max()
    crossed = [level for level in UNSURE if low < level < high]
    if crossed:  # contour warns of levels that no cell reaches
        axes.contour(
            drawn.probability,
            levels=crossed,
            origin="lower",
            extent=drawn.box,
            colors="#333333",
            linewidths=0.5,
        )
    for label, marker in enumerate("o^"):
        x, y = drawn.points[drawn.labels == label].T
        dots = axes.scatter(x, y, s=size, marker=marker, color=BINARY_COLOURS[label])
        dots.set(edgecolor="white", linewidth=0.4, clip_on=False)  # whole at the panel's edge too
    axes.set(xlim=drawn.box[:2], ylim=drawn.box[2:])
    axes.grid(False)
