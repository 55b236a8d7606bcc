"""Which figures a study's tables allow, and the one of every measure, method by method."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study.figures.features import draw_class_ratios, draw_neighbours
from study.figures.intrusion import draw_intrusion
from study.figures.robustness import draw_attacks, draw_deformations
from study.figures.style import (
    INTERVAL,
    a_row_a_method,
    log_scale,
    new_figure,
    seeds_said,
    set_heading,
    styled,
)
from study.figures.sweeps import draw_eligible
from study.figures.widths import PANELS, draw_widths
from study.measures.catalogue import find, seen_in
from study.measures.catalogue import title as title_of
from study.training.experiment import ExperimentConfig


def draw_measured(
    name: str, runs: pd.DataFrame, summary: pd.DataFrame, colours: Mapping[str, str]
) -> Iterator[tuple[str, Figure]]:
    """Draw the measures of an experiment whose methods have a colour each.

    Args:
        name: of the experiment.
        runs: its rows of ``metrics/runs.csv``.
        summary: its rows of ``metrics/summary.csv``.
        colours: method -> colour.

    Yields:
        A file's name without its ending, and the figure.
    """
    found = set(runs["metric"])
    yield f"methods_{name}", draw_methods(runs, summary, colours, name)
    if seen_in("intrusion", found):
        yield f"intrusion_{name}", draw_intrusion(runs, colours, name)
    if seen_in("class_ratios", found):
        yield f"class_ratios_{name}", draw_class_ratios(summary, colours, name)
    if seen_in("neighbours", found):
        yield f"neighbours_{name}", draw_neighbours(runs, summary, colours, name)
    if seen_in("attacks", found):
        yield f"attacks_{name}", draw_attacks(runs, colours, name)
    if seen_in("deformations", found):
        yield f"deformations_{name}", draw_deformations(runs, colours, name)


def draw_swept(
    name: str,
    experiment: ExperimentConfig,
    n_classes: int,
    runs: pd.DataFrame,
    summary: pd.DataFrame,
) -> Iterator[tuple[str, Figure]]:
    """Draw experiments whose methods are the points of a sweep, over alpha or over the width.

    Args:
        name: of the experiment.
        experiment: its settings.
        n_classes: of its data.
        runs: its rows of ``metrics/runs.csv``.
        summary: its rows of ``metrics/summary.csv``.

    Yields:
        As `draw_measured` does.
    """
    methods = {method: experiment.methods[method] for method in experiment.all_methods}
    if has_several_alphas(experiment):
        scores = ["test_accuracy", "test_nll"]
        yield f"layers_{name}", draw_eligible(summary, methods, scores, name)
    if set(PANELS) <= set(runs["metric"]):
        yield f"widths_{name}", draw_widths(runs, summary, experiment, n_classes, name)


def is_swept(experiment: ExperimentConfig) -> bool:
    """Tell whether methods are the points of a sweep, too many for a panel or a line each."""
    methods = [experiment.methods[name] for name in experiment.all_methods]
    return has_several_alphas(experiment) or any(method.bottleneck for method in methods)


def has_several_alphas(experiment: ExperimentConfig) -> bool:
    """Tell whether methods are the points of a grid of alphas."""
    methods = [experiment.methods[name] for name in experiment.all_methods]
    return len({method.alpha for method in methods if method.alpha}) > 1


@styled()
def draw_methods(
    runs: pd.DataFrame, summary: pd.DataFrame, colours: Mapping[str, str], title: str
) -> Figure:
    """Draw one panel a measure: each seed's value, the mean over seeds and its 95 % interval.

    A light line joins the values of one seed, so that paired differences can be followed.
    Values over more than two decades get a logarithmic axis, where a bar that runs off the panel
    ends in an arrowhead. What a measure's words mean stands at the foot.

    Args:
        runs: one experiment's rows of ``metrics/runs.csv``: method, seed, metric, value.
        summary: its rows of ``metrics/summary.csv``: method, metric, n, mean, low, high.
        colours: method -> colour; the axis keeps its order.
        title: names the experiment.
    """
    methods = [method for method in colours if method in set(runs["method"])]
    metrics = seen_in("methods", runs["metric"].unique())
    n = runs["seed"].nunique()
    n_columns = min(3, len(metrics))
    n_rows = -(-len(metrics) // n_columns)
    notes = [meaning for metric in metrics if (meaning := find(metric).meaning)]
    height = n_rows * (0.27 * len(methods) + 0.95) + 0.7 + 0.15 * len(notes)
    figure = new_figure(2.9 * n_columns + 1.1, height)
    panels = figure.subplots(n_rows, n_columns, sharey=True, squeeze=False)
    for axes, metric in zip(panels.flat, metrics, strict=False):
        table = runs[runs["metric"] == metric].pivot(index="method", columns="seed", values="value")
        means = summary[summary["metric"] == metric].set_index("method")
        _draw_runs(axes, table.reindex(methods), colours)
        if n > 1:
            _draw_means(axes, means.reindex(methods), colours)
        set_heading(axes, title_of(metric), loc="left")
        a_row_a_method(axes, methods)
    for axes in panels.flat[len(metrics) :]:
        axes.set_visible(False)
    marks = f"small dots: one seed each, joined by a grey line; large dot and bar: {INTERVAL}"
    figure.suptitle(f"{title}: measures by method\n{seeds_said(n, marks)}")
    if any(_ends_beyond(axes) for axes in panels.flat):
        notes.append("arrowhead: the interval reaches on, beyond a logarithmic axis")
    figure.supxlabel("\n".join(notes), fontsize=8)
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
    limits = axes.get_xlim() if axes.get_xscale() == "log" else (-np.inf, np.inf)
    for y, method, (mean, low, high) in zip(height, means.index, numbers, strict=True):
        colour, ends = colours[method], np.clip([low, high], *limits)
        axes.plot(ends, [y, y], color=colour, linewidth=2, zorder=3)
        axes.plot(mean, y, "o", color=colour, markersize=6, zorder=4)
        for end, beyond, head in zip(ends, (low < ends[0], high > ends[1]), "<>", strict=True):
            if beyond:
                axes.plot(end, y, head, color=colour, markersize=6, clip_on=False, zorder=4)


def _ends_beyond(axes: Axes) -> bool:
    return any(line.get_marker() in ("<", ">") for line in axes.lines)
