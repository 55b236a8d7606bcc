"""Accuracy of every method under attack, and on deformed images."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from study.figures.style import RANGE, legend_below, method_label, new_figure, seeds_said, styled
from study.measures.robustness import ATTACKS
from study.paired import effects
from study.tables import BASELINE, values_by_seed

# A shape a method besides its colour, since lines of several methods cross between two ticks.
MARKERS = "osD^vPX*"
MOST_BESIDE = 0.16
"""Ticks that a bar is put beside its dot at most: lines and dots stand at their tick."""


class Panel(NamedTuple):
    """One column of panels: the metric at each tick of its horizontal axis."""

    title: str
    label: str
    ticks: dict[str, str]


@styled()
def draw_attacks(measures: pd.DataFrame, colours: Mapping[str, str], title: str) -> Figure:
    """Draw accuracy against the radius of the ball, one column of panels an attack.

    Radius 0 is the accuracy on the same images as they are. Below stands each method's difference
    from the baseline, paired by seed, where there is a baseline. Lines join means over seeds, bars
    reach from the lowest to the highest seed; only bars stand beside their tick.

    Args:
        measures: one experiment's rows of ``metrics/robustness.csv``: method, seed, metric, value.
        colours: method -> colour; the legend keeps its order.
        title: names the experiment.
    """
    panels = []
    for attack, words in ATTACKS.items():
        if amounts := _amounts(measures, attack):
            ticks = {"0": "unattacked_accuracy"} | _labelled(amounts, "{:g}".format)
            panels.append(Panel(words, "radius, pixels in 0 to 1", ticks))
    about = f"{title}: accuracy under attack"
    return _draw(measures, panels, colours, about, "attacked_samples")


@styled()
def draw_deformations(measures: pd.DataFrame, colours: Mapping[str, str], title: str) -> Figure:
    """Draw accuracy against the size of a deformation, one column of panels a kind of it.

    Args:
        measures: as for `draw_attacks`, and drawn likewise.
        colours: method -> colour; the legend keeps its order.
        title: names the experiment.
    """
    undeformed = "undeformed_accuracy"
    panels = []
    for kind, words in {"rotation": "turned", "shear": "sheared"}.items():
        if amounts := _amounts(measures, kind):
            ticks = {"0": undeformed} | _labelled(amounts, "±{:g}".format)
            panels.append(Panel(words, "angles within, degrees", ticks))
    zooms = _amounts(measures, "zoom_in") | {1.0: undeformed} | _amounts(measures, "zoom_out")
    if len(zooms) > 1:
        ticks = _labelled(zooms, "{:.0%}".format)
        panels.append(Panel("zoomed in and out", "share of the width shown", ticks))
    about = f"{title}: accuracy on deformed images"
    return _draw(measures, panels, colours, about, "deformed_samples")


def _draw(
    measures: pd.DataFrame,
    panels: list[Panel],
    colours: Mapping[str, str],
    title: str,
    samples: str,
) -> Figure:
    found = set(measures["method"])
    methods = {method: colours[method] for method in colours if method in found}
    rows = 2 if BASELINE in methods and len(methods) > 1 else 1
    ratios = [len(panel.ticks) + 1 for panel in panels]
    figure = new_figure(10.5, 2.8 * rows + 1.2)
    grid = figure.subplots(
        rows, len(panels), sharex="col", sharey="row", squeeze=False, width_ratios=ratios
    )
    for column, panel in zip(grid.T, panels, strict=True):
        tables = [values_by_seed(measures, metric) for metric in panel.ticks.values()]
        _draw_methods(column[0], tables, methods)
        column[0].set_title(panel.title, loc="left")
        if rows == 2:
            compared = partial(effects, relative=False)
            paired = [table.apply(compared, others=table[BASELINE]) for table in tables]
            _draw_methods(column[1], paired, methods)
        column[-1].set_xticks(range(len(tables)), list(panel.ticks))
        column[-1].set_xlabel(panel.label)
    grid[0, 0].set_ylabel("accuracy")
    grid[0, 0].set_ylim(0, 1)
    grid[0, 0].yaxis.set_major_formatter(PercentFormatter(1))
    if rows == 2:
        grid[1, 0].set_ylabel("percentage points above the baseline")
        grid[1, 0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=""))
    legend_below(figure, *grid[0, 0].get_legend_handles_labels())
    figure.suptitle(f"{title}\n{_about(measures, samples)}")
    return figure


def _draw_methods(axes: Axes, tables: list[pd.DataFrame], colours: Mapping[str, str]) -> None:
    """Draw a line a method through the ticks, and bars of the seeds side by side at each."""
    beside = np.linspace(-MOST_BESIDE, MOST_BESIDE, len(colours)) if len(colours) > 1 else [0.0]
    ticks = np.arange(len(tables))
    for place, (method, colour) in enumerate(colours.items()):
        values = np.stack([table[method].to_numpy(dtype=float) for table in tables])
        low, high = values.min(axis=1), values.max(axis=1)
        axes.vlines(ticks + beside[place], low, high, color=colour, linewidth=1.2)
        marker = MARKERS[place % len(MARKERS)]
        (line,) = axes.plot(ticks, values.mean(axis=1), marker, color=colour, markersize=5.5)
        line.set(linestyle="-", linewidth=0.9, markeredgewidth=0)
        line.set_label(method_label(method))


def _amounts(measures: pd.DataFrame, name: str) -> dict[float, str]:
    """Find the metrics ``NAME_accuracy_AMOUNT``, by amount in ascending order."""
    start = f"{name}_accuracy_"
    metrics = [metric for metric in measures["metric"].unique() if metric.startswith(start)]
    found = {float(metric.removeprefix(start).replace("_", ".")): metric for metric in metrics}
    return dict(sorted(found.items()))


def _labelled(amounts: Mapping[float, str], label: Callable[[float], str]) -> dict[str, str]:
    return {label(amount): metric for amount, metric in amounts.items()}


def _about(measures: pd.DataFrame, samples: str) -> str:
    n = int(measures["seed"].nunique())
    images = int(measures.loc[measures["metric"] == samples, "value"].min())
    return f"{seeds_said(n)}, {images:,} test images each" + (
        f"; mark: mean, bar beside it: {RANGE}" if n > 1 else ""
    )
