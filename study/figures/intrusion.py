"""How often mixed points intrude on other classes, layer by layer, and whether errors lie there."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from study.figures.style import (
    a_row_a_method,
    legend_below,
    method_label,
    new_figure,
    seeds_said,
    styled,
)
from study.measures.catalogue import short

_SHARES = ("intrusion", "intrusion_others")


@styled()
def draw_intrusion(runs: pd.DataFrame, colours: Mapping[str, str], title: str) -> Figure:
    """Draw both shares of intruding mixed points by layer, and how well they tell errors.

    Args:
        runs: one experiment's rows of ``metrics/runs.csv``: method, seed, metric, value; with
            ``intrusion_K`` and ``intrusion_others_K`` for the layers K = 0, 1, ... and
            ``intrusion_auc``.
        colours: method -> colour; the order of the legend.
        title: names the experiment.
    """
    methods = [method for method in colours if method in set(runs["method"])]
    figure = new_figure(11.0, 0.16 * len(methods) + 3.2)
    *by_layer, errors = figure.subplots(1, 3, width_ratios=(1, 1, 0.85))
    for axes, name in zip(by_layer, _SHARES, strict=True):
        for method in methods:
            _draw_layers(axes, runs[runs["method"] == method], name, colours[method], method)
        axes.set(
            title=short(f"{name}_0"), xlabel="states mixed: 0 the input, k after hidden layer k"
        )
        axes.set_ylim(0, 1.05 * _largest(runs))
    by_layer[0].set_ylabel("share of mixed points")
    _draw_errors(errors, runs, methods, colours)
    handles, labels = by_layer[0].get_legend_handles_labels()
    legend_below(figure, handles, labels, columns=8)
    n = runs["seed"].nunique()
    figure.suptitle(
        f"{title}: mixed training points that land on another class\n"
        + seeds_said(n, "small dots: one seed each; lines and large dots: mean")
    )
    return figure


def _largest(runs: pd.DataFrame) -> float:
    is_share = runs["metric"].str.match(r"intrusion(_others)?_\d")
    return max(float(runs.loc[is_share, "value"].max()), 0.01)


def _draw_layers(axes: Axes, runs: pd.DataFrame, name: str, colour: str, method: str) -> None:
    layers = runs[runs["metric"].str.fullmatch(rf"{name}_\d+")]
    k = layers["metric"].str.rpartition("_")[2].astype(int)
    axes.scatter(k, layers["value"], s=8, color=colour, alpha=0.45, linewidth=0)
    means = layers["value"].groupby(k).mean()
    axes.plot(means.index, means, "o-", color=colour, markersize=4, label=method_label(method))
    axes.set_xticks(means.index)


def _draw_errors(
    axes: Axes, runs: pd.DataFrame, methods: list[str], colours: Mapping[str, str]
) -> None:
    beside = blended_transform_factory(axes.transAxes, axes.transData)
    for row, method in enumerate(methods):
        of_method = runs[(runs["method"] == method) & (runs["metric"] == "intrusion_auc")]
        values = of_method["value"][np.isfinite(of_method["value"])]
        if len(values) < len(of_method):
            text = f"errors on {len(values)} of {len(of_method)} seeds"
            axes.text(0.02, row + 0.3, text, transform=beside, va="center", fontsize=7)
        if values.empty:
            continue
        axes.scatter(values, [row] * len(values), s=9, color=colours[method], alpha=0.5)
        axes.plot(values.mean(), row, "o", color=colours[method], markersize=6)
    axes.axvline(0.5, color="black", linewidth=0.7, linestyle=":")
    a_row_a_method(axes, methods)
    axes.set_title("do test errors lie where inputs intrude?")
    axes.set_xlabel("area under the ROC curve; 0.5: no")
