"""Training curves: loss and accuracy on clean data over optimiser steps."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from study.figures.style import (
    RANGE,
    legend_below,
    log_scale,
    method_label,
    new_figure,
    seeds_said,
    set_heading,
    styled,
)

_PANELS = {
    "train_loss": "loss on training data (nats)",
    "test_loss": "loss on test data (nats)",
    "train_accuracy": "accuracy on training data",
    "test_accuracy": "accuracy on test data",
}


@styled()
def draw_curves(histories: pd.DataFrame, colours: Mapping[str, str], title: str) -> Figure:
    """Draw curves of the mean over seeds, in a band from the lowest to the highest seed.

    Losses are on a logarithmic axis each. The two accuracies share their axis.

    Args:
        histories: the rows of every run's history.csv, with its method and seed: method, seed,
            step, train_loss, test_loss, train_accuracy, test_accuracy.
        colours: method -> colour; the legend keeps its order.
        title: names the experiment.
    """
    figure = new_figure(8.6, 6.2)
    panels = figure.subplots(2, 2, sharex=True)
    panels[1, 1].sharey(panels[1, 0])
    methods = [method for method in colours if method in set(histories["method"])]
    for axes, (quantity, heading) in zip(panels.flat, _PANELS.items(), strict=True):
        for method in methods:
            of_method = histories[histories["method"] == method]
            over_seeds = of_method.groupby("step")[quantity]
            mean, low, high = over_seeds.mean(), over_seeds.min(), over_seeds.max()
            marker = "." if len(mean) < 30 else None
            axes.plot(mean, color=colours[method], marker=marker, label=method_label(method))
            axes.fill_between(mean.index, low, high, color=colours[method], alpha=0.15, linewidth=0)
        set_heading(axes, heading, loc="left")
        if quantity.endswith("loss"):
            log_scale(axes, "y", histories[quantity])
    for axes in panels[1]:
        axes.set(xlabel="optimiser step", ylim=(None, 1.01))
    n = histories["seed"].nunique()
    spread = seeds_said(n, f"line: mean, band: {RANGE}")
    figure.suptitle(f"{title}: training, evaluated on clean data\n{spread}")
    legend_below(figure, *panels[0, 0].get_legend_handles_labels())
    return figure
