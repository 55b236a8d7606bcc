"""Scatter plots of a two-unit bottleneck: how the net lays out the classes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.spatial import KDTree

from study.figures.style import class_colour, method_label, new_figure, styled

# More points a panel only paint over one another.
MAX_POINTS = 1000
ROOM = 0.06
"""Half of what a class's name takes of a panel, as a share of the larger side of its states."""


@dataclass(frozen=True)
class Embedding:
    """The states of one run's bottleneck.

    Args:
        states: (N, 2) float.
        labels: (N,) int.
    """

    states: NDArray[np.floating]
    labels: NDArray[np.integer]

    def only(self, classes: Iterable[int]) -> "Embedding":
        """Keep the points of ``classes``."""
        keep = np.isin(self.labels, list(classes))
        return Embedding(self.states[keep], self.labels[keep])


@styled()
def draw_bottleneck(columns: Mapping[str, Mapping[str, Embedding]], title: str) -> Figure:
    """Draw one scatter a panel: methods in rows, what ``columns`` names (split, seed) in columns.

    Every panel has its own limits, since the scale of a hidden space means nothing by itself,
    but the same unit on both axes. A class's name stands in the free place nearest to its median,
    and a thin line joins the two. Panels show at most `MAX_POINTS` points, the first ones; the
    heading of a column says how many.

    Args:
        columns: heading of the column -> method -> embedding; every column has the same methods.
        title: names the experiment and says of how many seeds it is.
    """
    methods = list(next(iter(columns.values())))
    figure = new_figure(max(2.75 * len(columns) + 0.3, 6.6), 2.5 * len(methods) + 0.9)
    panels = figure.subplots(len(methods), len(columns), squeeze=False)
    for column, (heading, embeddings) in zip(panels.T, columns.items(), strict=True):
        for axes, method in zip(column, methods, strict=True):
            _draw_embedding(axes, embeddings[method])
        column[0].set_title(f"{heading}\n{_points(embeddings)}")
        column[-1].set_xlabel("unit 1")
    for axes, method in zip(panels[:, 0], methods, strict=True):
        axes.set_ylabel(f"$\\bf{{{method_label(method).replace(' ', '~')}}}$\nunit 2")
    figure.suptitle(
        f"{title}\n"
        "one dot a sample, coloured by class; a line leads from a class's name to its median; "
        "scales differ"
    )
    return figure


def _points(embeddings: Mapping[str, Embedding]) -> str:
    n = max(len(embedding.labels) for embedding in embeddings.values())
    return f"{n:,} points" if n <= MAX_POINTS else f"first {MAX_POINTS:,} of {n:,} points"


def _draw_embedding(axes: Axes, embedding: Embedding) -> None:
    states, labels = embedding.states[:MAX_POINTS], embedding.labels[:MAX_POINTS]
    axes.scatter(
        states[:, 0], states[:, 1], s=5, c=[class_colour(int(i)) for i in labels], linewidths=0
    )
    axes.margins(0.12)
    obstacles = states
    reach = ROOM * float(np.ptp(states, axis=0).max())
    for label in np.unique(labels):
        median = np.median(states[labels == label], axis=0)
        place = _free_place(median, obstacles, reach)
        obstacles = np.vstack([obstacles, np.linspace(median, place, 9)])
        axes.annotate(
            str(label),
            xy=median,
            xytext=(place[0], place[1]),
            ha="center",
            va="center",
            fontsize=10,
            fontweight="bold",
            color=class_colour(int(label)),
            arrowprops={"arrowstyle": "-", "color": class_colour(int(label)), "linewidth": 0.8},
        )
    axes.set_aspect("equal", adjustable="datalim")


def _free_place(
    median: NDArray[np.floating], obstacles: NDArray[np.floating], reach: float
) -> NDArray[np.floating]:
    """Find the place nearest to ``median`` that has no obstacle within ``reach``.

    It is searched on a grid; where no place is free, the emptiest one is taken.
    """
    low, high = obstacles.min(axis=0) - reach, obstacles.max(axis=0) + reach
    grid = np.stack(np.meshgrid(*np.linspace(low, high, 60).T), axis=-1).reshape(-1, 2)
    room, _ = KDTree(obstacles).query(grid)
    if room.max() < reach:
        place: NDArray[np.floating] = grid[room.argmax()]
        return place
    free = grid[room >= reach]
    place = free[np.square(free - median).sum(axis=1).argmin()]
    return place
