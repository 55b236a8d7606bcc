"""Hidden states as features: how flat their classes are, and how well nearest neighbours do."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study.figures.style import INTERVAL, legend_below, method_label, new_figure, seeds_said, styled
from study.measures.catalogue import find
from study.measures.spectra import SCALINGS
from study.tables import BASELINE

_SCALINGS = ("raw", "centred")
DIFFERENCE = ("difference", "difference_low", "difference_high")
RATIO, ERROR = "test_first_over_others", "test_knn_error_after"


@styled()
def draw_class_ratios(summary: pd.DataFrame, colours: Mapping[str, str], title: str) -> Figure:
    """Draw each class's largest singular value over the sum of the others, and the classes' mean.

    Args:
        summary: one experiment's rows of ``metrics/summary.csv``: method, metric, n, mean, low,
            high; those of ``test_first_over_others_{scaling}_{class}_after_1`` are drawn.
        colours: method -> colour; the legend keeps its order.
        title: names the experiment.
    """
    pattern = rf"{RATIO}_raw_(\d+)_after_1"
    labels = sorted(summary["metric"].str.extract(pattern)[0].dropna().unique(), key=int)
    figure = new_figure(9.4, 6.0)
    panels = figure.subplots(2, 1, sharex=True)
    for axes, scaling in zip(panels, _SCALINGS, strict=True):
        metrics = [f"{RATIO}_{scaling}_{label}_after_1" for label in labels]
        _draw_points(axes, summary, colours, [*metrics, f"{RATIO}_{scaling}_after_1"])
        axes.axvline(len(labels) - 0.5, color="#777777", linewidth=1)
        axes.set_title(SCALINGS[scaling], loc="left")
        axes.set_ylim(bottom=0)
        axes.set_ylabel("largest / sum of the others")
    panels[-1].set_xticks(range(len(labels) + 1), [*labels, "mean"])
    panels[-1].set_xlabel("class")
    _finish(figure, f"{title}: singular values after the first hidden layer, test data", summary)
    return figure


@styled()
def draw_neighbours(
    runs: pd.DataFrame, summary: pd.DataFrame, colours: Mapping[str, str], title: str
) -> Figure:
    """Draw the error of nearest neighbours by the input and by every hidden state.

    On the left the error, with a dot for every seed; on the right, where there is a baseline, its
    difference to the baseline's of the same seed.

    Args:
        runs: one experiment's rows of ``metrics/runs.csv``: method, seed, metric, value;
            ``test_knn_error_after_{k}`` is drawn.
        summary: its rows of ``metrics/summary.csv``: method, metric, n, mean, low, high,
            difference, difference_low, difference_high.
        colours: method -> colour; the legend keeps its order.
        title: names the experiment.
    """
    found = summary["metric"].str.extract(rf"{ERROR}_(\d+)")[0].dropna().unique()
    layers = sorted(int(k) for k in found)
    metrics = [f"{ERROR}_{k}" for k in layers]
    names = ["input" if k == 0 else f"after layer {k}" for k in layers]
    has_baseline = summary.loc[summary["metric"].isin(metrics), "difference"].notna().any()
    figure = new_figure(9.4, 4.2)
    error, *differences = figure.subplots(1, 2 if has_baseline else 1, squeeze=False)[0]
    _draw_points(error, summary, colours, metrics, runs=runs)
    error.set_title(f"share of test points ({find(metrics[0]).better} is better)", loc="left")
    error.set_xticks(range(len(names)), names)
    for difference in differences:
        _draw_points(difference, summary, colours, metrics[1:], DIFFERENCE)
        difference.axhline(0, color=colours[BASELINE], linewidth=1)
        difference.set_title("difference to the baseline of the same seed", loc="left")
        difference.set_xticks(range(len(names) - 1), names[1:])
    _finish(
        figure,
        f"{title}: error of nearest neighbours by state",
        summary,
        "; small dots: one seed each",
    )
    return figure


def _draw_points(
    axes: Axes,
    summary: pd.DataFrame,
    colours: Mapping[str, str],
    metrics: Sequence[str],
    columns: Sequence[str] = ("mean", "low", "high"),
    runs: pd.DataFrame | None = None,
) -> None:
    """Draw a group of points a metric, side by side: a number and its interval for each method.

    Methods keep their places and a method without numbers leaves its own empty. Each value of
    ``runs`` is a small dot to the right.
    """
    rows = summary[summary["metric"].isin(metrics)]
    methods = [method for method in colours if method in set(rows["method"])]
    shifts = np.linspace(-0.3, 0.3, len(methods)) if len(methods) > 1 else [0.0]
    for method, shift in zip(methods, shifts, strict=True):
        of_method = rows[rows["method"] == method].set_index("metric")
        numbers = of_method.loc[list(metrics), list(columns)].to_numpy(dtype=float)
        mean, low, high = numbers.T
        axes.errorbar(
            np.arange(len(metrics)) + shift,
            mean,
            np.nan_to_num([mean - low, high - mean]),
            fmt="o",
            markersize=4,
            color=colours[method],
            label=method_label(method),
        )
        if runs is not None:
            dots = runs[(runs["method"] == method) & runs["metric"].isin(metrics)]
            places = dots["metric"].map(list(metrics).index) + shift + 0.06
            axes.scatter(places, dots["value"], s=7, color=colours[method], alpha=0.5)
    axes.grid(axis="x", visible=False)


def _finish(figure: Figure, title: str, summary: pd.DataFrame, also: str = "") -> None:
    n = int(summary["n"].max())
    figure.suptitle(f"{title}\n{seeds_said(n, f'dot and bar: {INTERVAL}{also}')}")
    legend_below(figure, *figure.axes[0].get_legend_handles_labels())
