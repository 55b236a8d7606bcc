"""Reliability before and after temperature scaling, and what a baseline's allowances bring."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from study.figures.style import (
    a_row_a_method,
    legend_below,
    log_scale,
    method_label,
    new_figure,
    seeds_said,
    shared_panels,
    styled,
)
from study.measures.allowances import ALLOWANCES, SCORES_WITH_ALLOWANCES
from study.measures.catalogue import label

COLUMNS = 5
# A bin's dot has an area in proportion to its share of the points, and is never too small to see.
LARGEST, SMALLEST = 90.0, 12.0
FEWEST = 20
"""Points of all seeds that a bin needs for a place on the line: of fewer it would be noise."""

_MARKERS = {"as_is": "o", "stopped": "s", "tempered": "D"}


@styled()
def draw_reliability(
    tables: pd.DataFrame, measures: pd.DataFrame, colours: Mapping[str, str], title: str
) -> Figure:
    """Draw accuracy against confidence, a panel a method: each seed's bins, and all seeds pooled.

    Args:
        tables: the bins of every run: method, seed, scaling (``none`` or ``temperature``), bin,
            confidence, accuracy, count.
        measures: method, seed, metric, value; with temperature, test_ece and tempered_test_ece.
        colours: method -> colour; panels keep its order.
        title: names the experiment.
    """
    methods = [method for method in colours if method in set(tables["method"])]
    n_rows = -(-len(methods) // COLUMNS)
    n_columns = -(-len(methods) // n_rows)
    figure = new_figure(max(2.3 * n_columns + 0.3, 8.5), 2.6 * n_rows + 1.1)
    panels = shared_panels(figure, n_rows, n_columns)
    means = measures.groupby(["method", "metric"])["value"].mean()
    for axes, method in zip(panels.flat, methods, strict=False):
        of_method = tables[tables["method"] == method]
        axes.plot([0, 1], [0, 1], color="black", linewidth=0.7, linestyle=":", zorder=1)
        for scaling in ("none", "temperature"):
            _draw_bins(axes, of_method[of_method["scaling"] == scaling], colours[method], scaling)
        ece, after, temperature = (
            means[method, metric] for metric in ("test_ece", "tempered_test_ece", "temperature")
        )
        axes.set_title(
            f"{method_label(method)}\nECE {ece:.3f} to {after:.3f}, T = {temperature:.2g}",
            loc="left",
        )
        axes.set(xlim=(min(tables["confidence"].min(), 0.5) - 0.03, 1.03), ylim=(-0.03, 1.03))
    for axes in panels.flat[len(methods) :]:
        axes.set_visible(False)
    figure.supxlabel("confidence: mean probability of the top class in a bin", fontsize=9)
    figure.supylabel("accuracy in the bin", fontsize=9)
    n, n_test = tables["seed"].nunique(), _n_test(tables)
    figure.suptitle(
        f"{title}: reliability before (dashed, crosses) and after (solid, dots) temperature scaling"
        f"\n{seeds_said(n)} of {n_test:,} test points; mark: a bin of one seed, the area its "
        "share of the points; ECE and T: means over seeds\n"
        f"lines: the points of all seeds together, in bins that have at least {FEWEST}",
        fontsize=9.5,
    )
    return figure


def _n_test(tables: pd.DataFrame) -> int:
    return int(tables.groupby(["method", "seed", "scaling"])["count"].sum().iloc[0])


def _draw_bins(axes: Axes, bins: pd.DataFrame, colour: str, scaling: str) -> None:
    before = scaling == "none"
    n_runs = bins["seed"].nunique()
    share = bins["count"] / (bins["count"].sum() / n_runs)
    area = np.maximum(LARGEST * share, SMALLEST)
    axes.scatter(
        bins["confidence"],
        bins["accuracy"],
        area,
        marker="x" if before else "o",  # shapes, since a small circle looks full when it is hollow
        color=colour,
        alpha=0.5,
        linewidth=0.9 if before else 0,
    )
    totals = bins.assign(
        confidence=bins["confidence"] * bins["count"], accuracy=bins["accuracy"] * bins["count"]
    )
    pooled = totals.groupby("bin")[["confidence", "accuracy", "count"]].sum()
    pooled = pooled[pooled["count"] >= FEWEST]
    axes.plot(
        pooled["confidence"] / pooled["count"],
        pooled["accuracy"] / pooled["count"],
        color=colour,
        linestyle="--" if before else "-",
        linewidth=1.4,
    )


@styled()
def draw_allowances(runs: pd.DataFrame, colours: Mapping[str, str], title: str) -> Figure:
    """Draw each method's scores as it is, stopped early and temperature scaled, a panel a score.

    Args:
        runs: one experiment's rows of ``metrics/runs.csv``: method, seed, metric, value.
        colours: method -> colour; the axis keeps its order, from the top.
        title: names the experiment.
    """
    methods = [method for method in colours if method in set(runs["method"])]
    figure = new_figure(10.5, 0.5 * len(methods) + 1.6)
    panels = figure.subplots(1, len(SCORES_WITH_ALLOWANCES), sharey=True)
    for axes, metrics in zip(panels, SCORES_WITH_ALLOWANCES.values(), strict=True):
        for row, method in enumerate(methods):
            of_method = runs[runs["method"] == method]
            for allowed, metric in metrics.items():
                place = row + 0.26 * (list(_MARKERS).index(allowed) - 1)
                values = of_method.loc[of_method["metric"] == metric, "value"]
                _draw_side(axes, values, place, colours[method], allowed)
        values = runs.loc[runs["metric"].isin(metrics.values()), "value"]
        if values.min() > 0 and values.max() > 10 * values.min():
            log_scale(axes, "x", values)
        axes.set_xlabel(
            label(metrics["as_is"]) + (", logarithmic" if axes.get_xscale() == "log" else "")
        )
        a_row_a_method(axes, methods)
    kinds = [
        Line2D([], [], marker=_MARKERS[name], mfc=_fill(name, "#555555"), mec="#555555", ls="")
        for name in _MARKERS
    ]
    legend_below(figure, kinds, ALLOWANCES.values())
    n = runs["seed"].nunique()
    figure.suptitle(
        f"{title}: scores as they are, stopped early and temperature scaled, both by the "
        f"validation data\n{seeds_said(n, 'large: mean; small dots: one seed each')}. "
        "Scaling changes no accuracy"
    )
    return figure


def _draw_side(axes: Axes, values: pd.Series, place: float, colour: str, allowed: str) -> None:
    axes.scatter(values, [place] * len(values), s=7, color=colour, alpha=0.45, linewidth=0)
    axes.plot(
        values.mean(),
        place,
        _MARKERS[allowed],
        markersize=6,
        markerfacecolor=_fill(allowed, colour),
        markeredgecolor=colour,
        zorder=3,
    )


def _fill(allowed: str, colour: str) -> str:
    return colour if allowed == "as_is" else "white"
