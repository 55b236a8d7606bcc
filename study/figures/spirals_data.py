"""The picture of the spirals data set."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from study.figures.style import PROBABILITY_MAP, new_figure, styled


@styled()
def draw_spirals(inputs: np.ndarray, labels: np.ndarray) -> Figure:
    """Draw the points of the spirals in the colours of their classes, on equal axes.

    Args:
        inputs: (N, 2) coordinates.
        labels: (N,) classes 0 and 1.
    """
    figure = new_figure(4.6, 4.9)
    axes = figure.add_subplot()
    for label in (0, 1):
        x, y = inputs[labels == label].T
        # The two ends of the probability maps, one step in from their darkest tones.
        colour = matplotlib.colormaps[PROBABILITY_MAP](0.1 + 0.8 * label)
        # Smaller dots for more points, so that the turns of a large data set stay apart.
        size = float(np.clip(8000 / len(inputs), 3, 12))
        name = f"class {label}: {len(x):,} points"
        axes.scatter(x, y, s=size, color=colour, linewidths=0, label=name)
    axes.set_aspect("equal")
    axes.set(xlabel="$x_1$", ylabel="$x_2$")
    axes.set_title("The spirals data set")
    figure.legend(loc="outside lower center", ncols=2, markerscale=2)
    return figure
