"""Scatter plots of a two-unit bottleneck: how the net lays out the classes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from mixup.figures.style import class_colour, method_label, new_figure, styled

# More points a panel only paint over one another.
MAX_POINTS = 1000


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
def draw_bottleneck(rows: Mapping[str, Mapping[str, Embedding]], title: str) -> Figure:
    """Draw one scatter a panel: methods in columns, what ``rows`` names (split, seed) in rows.

    Every panel has its own limits, since the scale of a hidden space means nothing by itself,
    but the same unit on both axes. A class's name stands at its median. Panels show at most
    `MAX_POINTS` points, the first ones.

    Args:
        rows: heading of the row -> method -> embedding; every row has the same methods.
        title: names the experiment.
    """
    methods = list(next(iter(rows.values())))
    figure = new_figure(max(2.75 * len(methods) + 0.3, 6.6), 2.85 * len(rows) + 0.6)
    panels = figure.subplots(len(rows), len(methods), squeeze=False)
    for row, (heading, embeddings) in zip(panels, rows.items(), strict=True):
        for axes, method in zip(row, methods, strict=True):
            _draw_embedding(axes, embeddings[method])
        row[0].set_ylabel(f"{heading}\nunit 2")
    for axes, method in zip(panels[0], methods, strict=True):
        axes.set_title(method_label(method), fontweight="bold")
    for axes in panels[-1]:
        axes.set_xlabel("unit 1")
    figure.suptitle(
        f"{title}\n"
        "one dot a sample, coloured by class; a class's name is at its median; scales differ"
    )
    return figure


def _draw_embedding(axes: Axes, embedding: Embedding) -> None:
    states, labels = embedding.states[:MAX_POINTS], embedding.labels[:MAX_POINTS]
    axes.scatter(
        states[:, 0], states[:, 1], s=5, c=[class_colour(int(i)) for i in labels], linewidths=0
    )
    for label in np.unique(labels):
        x, y = np.median(states[labels == label], axis=0)
        axes.text(
            x,
            y,
            str(label),
            ha="center",
            va="center",
            fontsize=11,
            fontweight="bold",
            color=class_colour(int(label)),
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )
    axes.set_aspect("equal", adjustable="datalim")
