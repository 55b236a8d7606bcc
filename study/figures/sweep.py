"""Metrics against a parameter that was swept: mean over seeds with its 95 % interval."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study.figures.style import (
    INTERVAL,
    legend_below,
    log_scale,
    method_label,
    new_figure,
    seeds_said,
    styled,
)
from study.measures.catalogue import title as title_of

NUMBERS = ["mean", "low", "high"]
MOST_TICKS = 6


@styled()
def draw_sweep(
    summaries: pd.DataFrame, param: str, metrics: Sequence[str], colours: Mapping[str, str]
) -> Figure:
    """Draw one column of panels an experiment and one row a metric.

    A method that the parameter changes is a line with a band. A method that it leaves alone, one
    with the same numbers at every value, is a dashed line with a band across the panel. The
    horizontal axis is logarithmic where the values are positive and span more than a decade.

    Args:
        summaries: rows of ``metrics/summary.csv`` (experiment, method, metric, n, mean, low,
            high), with the value of the parameter they were measured at as the column ``at``.
        param: name of the parameter.
        metrics: the metrics to draw; one that an experiment lacks leaves its panel out.
        colours: method -> colour; the legend keeps its order.
    """
    drawn = summaries[summaries["metric"].isin(metrics)]
    experiments = list(drawn["experiment"].unique())
    depends = moved(summaries)
    figure = new_figure(3.6 * len(experiments) + 0.6, 2.5 * len(metrics) + 1.1)
    panels = figure.subplots(len(metrics), len(experiments), squeeze=False)
    for row, metric in zip(panels, metrics, strict=True):
        for axes, experiment in zip(row, experiments, strict=True):
            chosen = (drawn["metric"] == metric) & (drawn["experiment"] == experiment)
            lines = {method for name, method in depends if name == experiment}
            _draw_panel(axes, drawn[chosen], colours, lines)
            axes.set_title(f"{experiment}: {title_of(metric)}", loc="left")
            axes.set_xlabel(param)
            axes.set_visible(bool(chosen.any()))
    entries = {line.get_label(): line for axes in panels.flat for line in axes.get_lines()}
    labels = [label for label in map(method_label, colours) if label in entries]
    legend_below(figure, [entries[label] for label in labels], labels)
    figure.suptitle(f"Metrics against {param}\n{_about(drawn)}")
    return figure


def moved(summaries: pd.DataFrame) -> set[tuple[str, str]]:
    """Name each (experiment, method) of which any number depends on the parameter.

    Args:
        summaries: as for `draw_sweep`.
    """
    counts = summaries.groupby(["experiment", "method", "metric"])[NUMBERS].nunique(dropna=False)
    depends = (counts > 1).any(axis="columns").groupby(["experiment", "method"]).any()
    return {(str(experiment), str(method)) for experiment, method in depends.index[depends]}


def _draw_panel(
    axes: Axes, rows: pd.DataFrame, colours: Mapping[str, str], lines: Collection[str]
) -> None:
    for method in [method for method in colours if method in set(rows["method"])]:
        table = rows[rows["method"] == method].sort_values("at")
        at, mean, low, high = (table[name].to_numpy(dtype=float) for name in ("at", *NUMBERS))
        look: dict[str, Any] = {"color": colours[method], "label": method_label(method)}
        if method in lines:
            axes.fill_between(at, low, high, color=colours[method], alpha=0.15, linewidth=0)
            axes.plot(at, mean, marker="o", markersize=4, **look)
        else:
            axes.axhspan(low[0], high[0], color=colours[method], alpha=0.08, linewidth=0)
            axes.axhline(mean[0], linestyle="--", linewidth=1.2, **look)
    values = sorted(set(rows["at"]))
    if values and values[0] > 0 and values[-1] > 10 * values[0]:
        log_scale(axes, "x", values)
    if len(values) <= MOST_TICKS:
        axes.set_xticks(values, [f"{value:g}" for value in values])
        axes.set_xticks([], minor=True)


def _about(rows: pd.DataFrame) -> str:
    least, most = int(rows["n"].min()), int(rows["n"].max())
    n = seeds_said(most) if least == most else f"n = {least} to {most} seeds"
    band = "" if most == 1 else f"line and band: {INTERVAL}; "
    return f"{n}; {band}dashed: methods that the parameter leaves alone"
