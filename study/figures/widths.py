"""Measures of a bottleneck against its width, and what theorem 1 predicts of them."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from study.figures.style import (
    INTERVAL,
    legend_below,
    method_colours,
    new_figure,
    seeds_said,
    styled,
)
from study.measures.bottleneck import units
from study.measures.catalogue import short
from study.measures.theorem import PREDICTED
from study.tables import BASELINE
from study.training.experiment import ExperimentConfig


class _Panel(NamedTuple):
    kinds: tuple[str, ...]
    whole: str | None = None
    """The measure that the panel's is a part of, drawn dashed."""


KINDS = {"plain": "plain training", "mixing": "mixing at the bottleneck"}
PANELS = {
    "train_excess_loss": _Panel(("mixing",)),
    "train_linearity": _Panel(tuple(KINDS)),
    "train_variance_outside": _Panel(tuple(KINDS), "train_variance_within"),
    "train_linearity_logits": _Panel(tuple(KINDS)),
}
_COLOURS = dict(zip(KINDS, method_colours([BASELINE, "manifold"]).values(), strict=True))


@styled()
def draw_widths(
    runs: pd.DataFrame,
    summary: pd.DataFrame,
    experiment: ExperimentConfig,
    n_classes: int,
    title: str,
) -> Figure:
    """Draw one panel a measure: each seed's value, the mean over seeds and its 95 % interval.

    A dotted line is what theorem 1 predicts, from n_classes - 1 units on. A dashed line is the
    mean of the whole that a measure is a part of.

    Args:
        runs: one experiment's rows of ``metrics/runs.csv``: method, seed, metric, value.
        summary: its rows of ``metrics/summary.csv``: method, metric, mean, low, high.
        experiment: its methods, which have bottlenecks of different widths.
        n_classes: of its data.
        title: names the experiment.
    """
    methods = {"plain": experiment.plain, "mixing": experiment.mixing}
    widths = {
        kind: {name: _width(experiment, name) for name in names} for kind, names in methods.items()
    }
    every = sorted({width for of_kind in widths.values() for width in of_kind.values()})
    figure = new_figure(9.4, 6.6)
    for axes, (metric, panel) in zip(figure.subplots(2, 2).flat, PANELS.items(), strict=True):
        for kind in panel.kinds:
            of_runs, of_summary = (_of(table, metric, widths[kind]) for table in (runs, summary))
            _draw_kind(axes, of_runs, of_summary, kind)
            if panel.whole:
                whole = _of(summary, panel.whole, widths[kind])
                axes.plot(whole["width"], whole["mean"], "--", color=_COLOURS[kind], linewidth=1)
        axes.axvline(n_classes - 1, color="#777777", linestyle="--", linewidth=1, zorder=0)
        if metric in PREDICTED:
            ends = [n_classes - 1, max(every)]
            label = f"theorem 1, from d - 1 = {n_classes - 1} units on"
            predicted = [PREDICTED[metric]] * 2
            axes.plot(ends, predicted, ":", color="#0072B2", linewidth=2.5, label=label)
        axes.set_title(short(metric), loc="left")
        axes.set_xscale("log")
        axes.set_xticks(every, [str(width) for width in every])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("D, units of the bottleneck")
    n = runs["seed"].nunique()
    marks = f"small dots: one seed each; line and bars: {INTERVAL}"
    figure.suptitle(
        f"{title}: bottlenecks of D units for d = {n_classes} classes, training data\n"
        + seeds_said(n, marks)
    )
    entries = dict(zip(*reversed(figure.axes[1].get_legend_handles_labels()), strict=True))
    legend_below(figure, entries.values(), entries.keys())
    return figure


def _width(experiment: ExperimentConfig, method: str) -> int:
    return units(experiment.net_of(method)) or experiment.net.width


def _of(table: pd.DataFrame, metric: str, widths: Mapping[str, int]) -> pd.DataFrame:
    """Choose the rows of a measure and of some methods, in the order of their widths."""
    rows = table[(table["metric"] == metric) & table["method"].isin(widths)]
    return rows.assign(width=rows["method"].map(widths)).sort_values("width", kind="stable")


def _draw_kind(axes: Axes, runs: pd.DataFrame, summary: pd.DataFrame, kind: str) -> None:
    axes.scatter(runs["width"], runs["value"], s=9, color=_COLOURS[kind], alpha=0.45)
    mean, low, high = summary[["mean", "low", "high"]].to_numpy(dtype=float).T
    axes.errorbar(
        summary["width"],
        mean,
        np.nan_to_num([mean - low, high - mean]),
        color=_COLOURS[kind],
        capsize=3,
        label=KINDS[kind],
    )
