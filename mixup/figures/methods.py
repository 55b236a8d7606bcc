"""Measures of every run, method by method: dots for seeds, mean and 95 % interval."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixup.figures.style import log_scale, method_label, new_figure, styled

# The measures drawn, in this order, where an experiment has them.
METRICS = {
    "test_accuracy": "test accuracy (more is better)",
    "test_nll": "test NLL, nats (less is better)",
    "test_ece": "test ECE (less is better)",
    "test_brier": "test Brier score (less is better)",
    "train_nll": "training NLL on clean data, nats",
    "low_confidence_area": "share of area with P in 0.25 to 0.75",
    "boundary_length": "length of P = 0.5, in diagonals of the box",
    "hidden_low_confidence_area": "same share of the hidden states' box",
    "hidden_boundary_length": "length of P = 0.5 in the hidden box",
    "hidden_effective_rank": "effective rank of hidden states, training",
    "test_scatter_ratio": "between-/within-class scatter, test",
    "test_silhouette": "silhouette, test",
    "test_core_hull_coverage": "share of plane in class cores, test",
    "test_core_hull_overlap": "share of cores that overlap, test",
    "test_first_singular_value_raw": "first singular value, raw, test",
    "test_first_singular_value_centred": "first singular value, centred, test",
    "test_first_singular_value_scale_free": "first singular value, scale-free, test",
    "test_effective_rank": "effective rank, test",
}


@styled()
def draw_methods(
    runs: pd.DataFrame, summary: pd.DataFrame, colours: Mapping[str, str], title: str
) -> Figure:
    """Draw one panel a metric: each seed's value, the mean over seeds and its 95 % interval.

    A light line joins the values of one seed, so that paired differences can be followed.
    Values over more than two decades get a logarithmic axis, where the bar of an interval that
    reaches below zero runs off the panel.

    Args:
        runs: one experiment's rows of ``metrics/runs.csv``: method, seed, metric, value.
        summary: its rows of ``metrics/summary.csv``: method, metric, n, mean, low, high.
        colours: method -> colour; the axis keeps its order.
        title: names the experiment.
    """
    methods = [method for method in colours if method in set(runs["method"])]
    metrics = [metric for metric in METRICS if metric in set(runs["metric"])]
    n = runs["seed"].nunique()
    n_columns = min(3, len(metrics))
    n_rows = -(-len(metrics) // n_columns)
    figure = new_figure(2.9 * n_columns + 1.1, n_rows * (0.27 * len(methods) + 0.95) + 0.7)
    panels = figure.subplots(n_rows, n_columns, sharey=True, squeeze=False)
    for axes, metric in zip(panels.flat, metrics, strict=False):
        table = runs[runs["metric"] == metric].pivot(index="method", columns="seed", values="value")
        means = summary[summary["metric"] == metric].set_index("method")
        _draw_runs(axes, table.reindex(methods), colours)
        if n > 1:
            _draw_means(axes, means.reindex(methods), colours)
        axes.set_title(METRICS[metric], loc="left")
        axes.set_yticks(range(len(methods)), [method_label(method) for method in methods])
        axes.set_ylim(len(methods) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
    for axes in panels.flat[len(metrics) :]:
        axes.set_visible(False)
    spread = (
        f"n = {n} seeds; small dots: one seed each, joined by a grey line; "
        "large dot and bar: mean and its 95 % interval"
    )
    figure.suptitle(f"{title}: measures by method\n{spread if n > 1 else 'one seed'}")
    return figure


def _draw_runs(axes: Axes, table: pd.DataFrame, colours: Mapping[str, str]) -> None:
    values = table.to_numpy(dtype=float)
    height = np.arange(len(table)) + 0.16
    axes.plot(values, height, color="#d0d0d0", linewidth=0.6, zorder=1)
    for y, method, of_method in zip(height, table.index, values, strict=True):
        seeds = np.full(len(of_method), y)
        axes.scatter(of_method, seeds, s=11, color=colours[method], alpha=0.7, zorder=2)
    finite = values[np.isfinite(values)]
    if len(finite) and finite.min() > 0 and finite.max() > 100 * finite.min():
        log_scale(axes, "x", finite)


def _draw_means(axes: Axes, means: pd.DataFrame, colours: Mapping[str, str]) -> None:
    height = np.arange(len(means)) - 0.16
    numbers = means[["mean", "low", "high"]].to_numpy(dtype=float)
    for y, method, (mean, low, high) in zip(height, means.index, numbers, strict=True):
        axes.plot([low, high], [y, y], color=colours[method], linewidth=2, zorder=3)
        axes.plot(mean, y, "o", color=colours[method], markersize=6, zorder=4)
