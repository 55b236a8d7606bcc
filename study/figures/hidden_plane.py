"""The plane of inputs above the plane of a two-unit bottleneck: figure 1 of the paper."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from study.figures.boundaries import COLOURS, TICKS, ProbabilityMap, draw_map
from study.figures.style import (
    PROBABILITY_NORM,
    RANGE,
    a_row_a_method,
    listed_numbers,
    method_label,
    new_figure,
    seeds_said,
    styled,
)
from study.measures.catalogue import find, short
from study.measures.plane import Box, bounding_box

WIDTH = 8.2
"""Inches: 900 pixels, what a README shows without shrinking."""

# The measures under a map.
_OF_INPUTS = ("test_accuracy", "low_confidence_area", "boundary_length")
_OF_STATES = (
    *("hidden_effective_rank", "hidden_first_share"),
    *("hidden_low_confidence_area", "hidden_boundary_length"),
)


@dataclass(frozen=True)
class HiddenPanel:
    """What one run makes of its inputs, and of its bottleneck's states.

    Args:
        inputs: the map over the inputs' plane, with the training points.
        hidden: the map over the states' plane, with the states of the training points.
        uniform: (M, 2) float, states of inputs drawn uniformly from the box of the inputs.
        measures: a row for each seed's run, the drawn one's first; columns test_accuracy,
            low_confidence_area and those of `study.measures.hidden_plane.hidden_measures`.
    """

    inputs: ProbabilityMap
    hidden: ProbabilityMap
    uniform: NDArray[np.floating]
    measures: pd.DataFrame


def square_around(states: NDArray[np.floating], margin: float = 0.1) -> Box:
    """Give the box of a hidden panel: the smallest square around (N, 2) states, and a margin.

    A square, so that one unit is as long on both axes and a flat class looks flat.

    Args:
        states: (N, 2) float.
        margin: on every side, as a share of the square's side.

    Returns:
        left, right, bottom, top; a square of side 1 where all states are equal.
    """
    low, high = states.min(axis=0), states.max(axis=0)
    middle, side = (low + high) / 2, float((high - low).max()) or 1.0
    reach = side * (0.5 + margin)
    x, y = middle.tolist()
    return Box(x - reach, x + reach, y - reach, y + reach)


@styled()
def draw_hidden(panels: Mapping[str, HiddenPanel], title: str) -> Figure:
    """Draw one run a method: the plane of its inputs above that of its hidden states.

    Under each stand the run's measures and, of more than one seed, their mean and range.

    Args:
        panels: method -> what its run makes of both planes; at most five are readable.
        title: names the experiment and the seed, and says of how many seeds it is.
    """
    n = len(panels)
    left, right, bottom, top = next(iter(panels.values())).inputs.box
    side = (WIDTH - 0.4) / n  # of the hidden panels, which are square
    figure = new_figure(
        WIDTH, side * (1 + (top - bottom) / (right - left)) + (3.0 if n <= 3 else 3.75)
    )
    figure.set_layout_engine("constrained", h_pad=0.04, w_pad=0.03, hspace=0.02, wspace=0.01)
    grid = figure.subplots(2, n, squeeze=False)
    for (above, below), (method, panel) in zip(grid.T, panels.items(), strict=True):
        above.set_title(method_label(method), fontsize=11, fontweight="bold", pad=5)
        _draw_planes(above, below, panel, marker=14 if n <= 3 else 7)
        _write_below(above, below, panel, narrow=n > 3)
    for axes, name in zip(grid[:, 0], ("input space", "hidden space"), strict=True):
        axes.set_ylabel(name, fontsize=11, fontweight="bold", labelpad=5)
    bar = figure.colorbar(
        ScalarMappable(PROBABILITY_NORM, COLOURS),
        ax=grid,
        location="bottom",
        aspect=70,
        pad=0.02,
        fraction=0.03,
        ticks=TICKS,
    )
    bar.set_label("predicted probability of class 1; thin lines at 0.25 and 0.75, unsure between")
    bar.outline.set_visible(False)
    n_points = listed_numbers(len(panel.inputs.points) for panel in panels.values())
    n_drawn = listed_numbers(len(panel.uniform) for panel in panels.values())
    n_seeds = max(len(panel.measures) for panel in panels.values())
    figure.suptitle(f"{title}, {n_points} training points", fontsize=11.5)
    others = f"under each map: this seed's measure; mean of all {n_seeds} ({RANGE})\n"
    figure.supxlabel(
        (others if n_seeds > 1 else "")
        + "blue circles: class 0; red triangles: class 1; black dots: hidden states of "
        f"{n_drawn} inputs drawn uniformly\nfrom the box above; dashed: box of the "
        "states, on which area and boundary are measured; boundary in diagonals of its box",
        fontsize=8.5,
    )
    return figure


def _draw_planes(above: Axes, below: Axes, panel: HiddenPanel, marker: float) -> None:
    x, y = panel.uniform.T
    below.scatter(x, y, s=1.6, color="black", linewidths=0)  # under the class states
    draw_map(above, panel.inputs, marker)
    draw_map(below, panel.hidden, marker)
    left, right, bottom, top = bounding_box(panel.hidden.points)
    frame = Rectangle((left, bottom), right - left, top - bottom, fill=False)
    frame.set(linestyle=(0, (3, 3)), linewidth=0.7, edgecolor="#333333")
    below.add_patch(frame)
    for axes in (above, below):
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color="#bbbbbb", linewidth=0.6)


def _write_below(above: Axes, below: Axes, panel: HiddenPanel, narrow: bool) -> None:
    for axes, measures in ((above, _OF_INPUTS), (below, _OF_STATES)):
        written = [
            f"{short(name)} {_of_seeds(panel.measures[name], find(name).digits, narrow)}"
            for name in measures
        ]
        axes.set_xlabel("\n".join(written), fontsize=7.5 if narrow else 8)


def _of_seeds(values: pd.Series, digits: int, narrow: bool) -> str:
    """Write the first seed's value and, of more than one, the mean of all and their range."""
    numbers = (values.iloc[0], values.mean(), values.min(), values.max())
    first, mean, low, high = (f"{number:.{digits}f}" for number in numbers)
    if len(values) == 1:
        return first
    return f"{first}{chr(10) if narrow else '; '}{mean} ({low} to {high})"


@styled()
def draw_singular_values(values: pd.DataFrame, colours: Mapping[str, str], title: str) -> Figure:
    """Draw the two singular values of the hidden states of each class, a dot a seed.

    Args:
        values: columns method, seed, digit (the class), index (1 or 2), value: singular values
            of the class's centred states, divided by the spread of all states (``scale_free``).
        colours: method -> colour; rows keep its order, from the top.
        title: names the experiment.
    """
    methods = [method for method in colours if method in set(values["method"])]
    digits = sorted(values["digit"].unique())
    figure = new_figure(WIDTH, 0.36 * len(methods) + 1.8)
    panels = figure.subplots(1, len(digits), sharex=True, sharey=True, squeeze=False)[0]
    for axes, digit in zip(panels, digits, strict=True):
        for row, method in enumerate(methods):
            for index, filled in ((1, True), (2, False)):
                chosen = (values["method"] == method) & (values["digit"] == digit)
                of_seeds = values.loc[chosen & (values["index"] == index), "value"]
                axes.scatter(
                    of_seeds,
                    [row] * len(of_seeds),
                    s=26,
                    facecolor=colours[method] if filled else "white",
                    edgecolor=colours[method],
                    linewidth=1.2,
                    zorder=3,
                )
        axes.set_title(f"class {digit}")
        axes.set_xlabel("singular value / spread of all states")
        a_row_a_method(axes, methods)
    panels[0].set_xlim(left=-0.03)
    figure.suptitle(
        f"{title}: singular values of the hidden states of each class, training points\n"
        + seeds_said(values["seed"].nunique(), "dots: one seed each")
        + "; filled: first value; hollow: second, near 0 where the class lies on a line",
        fontsize=9.5,
    )
    return figure
