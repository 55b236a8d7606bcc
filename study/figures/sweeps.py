"""Measures over a sweep: of a parameter, or of where mixing may enter and alpha."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from study.figures.style import (
    INTERVAL,
    legend_below,
    log_scale,
    method_label,
    new_figure,
    seeds_said,
    styled,
)
from study.measures.catalogue import find
from study.measures.catalogue import title as title_of
from study.tables import BASELINE
from study.training.config import MethodConfig

NUMBERS = ["mean", "low", "high"]
MOST_TICKS = 6
LEAST_SPACE = 0.12
"""Between two labels of an axis, as a share of it."""


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
    width = max(3.6 * len(experiments) + 0.6, 5.0)  # for names of parameters in the title
    figure = new_figure(width, 2.5 * len(metrics) + 1.2)
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
        axes.set_xticks(values, _labels(axes, values))
        axes.set_xticks([], minor=True)


def _labels(axes: Axes, values: Sequence[float]) -> list[str]:
    """Label ticks, but those so near to the last labelled one that the words would overlap."""
    scale = axes.xaxis.get_transform()
    low, high = scale.transform(np.array(axes.get_xlim()))
    labels, last = [], -math.inf
    for value, at in zip(values, scale.transform(np.array(values)), strict=True):
        place = (at - low) / (high - low)
        far = place - last >= LEAST_SPACE
        labels.append(f"{value:g}" if far else "")
        last = place if far else last
    return labels


def _about(rows: pd.DataFrame) -> str:
    least, most = int(rows["n"].min()), int(rows["n"].max())
    n = seeds_said(most) if least == most else f"n = {least} to {most} seeds"
    band = "" if most == 1 else f"; line and band: {INTERVAL}"
    return f"{n}{band}\ndashed: methods that the parameter leaves alone"


_COLOURS = matplotlib.colormaps["cividis"]


@styled()
def draw_eligible(
    summary: pd.DataFrame,
    methods: Mapping[str, MethodConfig],
    metrics: list[str],
    title: str,
) -> Figure:
    """Draw one panel a metric: a row for each eligible set, a column for each alpha.

    A cell has the mean over seeds and the half width of its 95 % interval; the panel's title has
    the baseline's, if there is one. In every panel brighter cells are better, and its colour bar
    has the best at the top.

    Args:
        summary: one experiment's rows of ``metrics/summary.csv``: method, metric, n, mean, low,
            high.
        methods: settings of the methods; those with an alpha of their own are drawn.
        metrics: what to draw.
        title: names the experiment.
    """
    swept = {name: method for name, method in methods.items() if method.alpha is not None}
    sets = list(dict.fromkeys(tuple(method.eligible) for method in swept.values()))
    alphas = sorted({float(method.alpha or 0) for method in swept.values()})
    figure = new_figure((0.9 * len(alphas) + 1.1) * len(metrics) + 1.6, 0.42 * len(sets) + 1.7)
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for axes, metric in zip(panels, metrics, strict=True):
        rows = summary[summary["metric"] == metric].set_index("method")
        cells = np.full((3, len(sets), len(alphas)), np.nan)
        for name, method in swept.items():
            place = sets.index(tuple(method.eligible)), alphas.index(float(method.alpha or 0))
            cells[:, *place] = rows.loc[name, ["mean", "low", "high"]].to_numpy(dtype=float)
        mean, low, high = cells
        less_is_better = find(metric).better == "less"
        image = _draw_cells(axes, mean, low, high, less_is_better)
        bar = figure.colorbar(image, ax=axes, pad=0.02)
        bar.outline.set_visible(False)
        if less_is_better:
            bar.ax.invert_yaxis()
        axes.set_title(f"{title_of(metric)}\n{_baseline(rows)}", loc="left", fontsize=8)
        axes.set_xticks(range(len(alphas)), [f"{alpha:g}" for alpha in alphas])
        axes.set_xlabel("alpha")
    panels[0].set_yticks(range(len(sets)), ["{" + ", ".join(map(str, s)) + "}" for s in sets])
    panels[0].set_ylabel("eligible layers k")
    n = int(summary["n"].max())
    figure.suptitle(
        f"{title}: where mixing may enter, and alpha; yellow is better in every panel\n"
        + seeds_said(n, "mean ± half width of its 95 % interval")
    )
    return figure


def _draw_cells(
    axes: Axes, mean: np.ndarray, low: np.ndarray, high: np.ndarray, less_is_better: bool
) -> AxesImage:
    norm = Normalize(float(np.nanmin(mean)), float(np.nanmax(mean)))
    colours = _COLOURS.reversed() if less_is_better else _COLOURS
    image = axes.imshow(mean, cmap=colours, norm=norm, aspect="auto")
    for (row, column), value in np.ndenumerate(mean):
        if np.isnan(value):
            continue
        half = (high[row, column] - low[row, column]) / 2
        text = f"{value:.3f}" + (f"\n±{half:.3f}" if np.isfinite(half) else "")
        red, green, blue, _ = colours(norm(value))
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        colour = "white" if dark else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
    axes.grid(False)
    return image


def _baseline(rows: pd.DataFrame) -> str:
    if BASELINE not in rows.index:
        return ""
    mean, low, high = rows.loc[BASELINE, ["mean", "low", "high"]].to_numpy(dtype=float)
    spread = f" ± {(high - low) / 2:.3f}" if np.isfinite(high) else ""
    return f"baseline {mean:.3f}{spread}"
