"""Accuracy of every method under attack, and on deformed images."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from mixup.analysis.tables import values_by_seed
from mixup.figures.style import method_label, new_figure, styled

PANELS = {
    "fgsm": "FGSM, one step",
    "pgd": "PGD",
    "transfer_fgsm": "FGSM examples of the baseline",
}
DEFORMATIONS = {
    "rotation": "turned within ±{} degrees",
    "shear": "sheared within ±{} degrees",
    "zoom": "{} of the width shown",
}
CLEAN = "clean_accuracy"


@styled()
def draw_attacks(measures: pd.DataFrame, colours: Mapping[str, str], title: str) -> Figure:
    """Draw accuracy against the radius of the ball, one panel an attack and one line a method.

    Radius 0 is the accuracy on clean images. The band reaches from the lowest to the highest seed.

    Args:
        measures: one experiment's rows of ``metrics/robustness.csv``: method, seed, metric, value.
        colours: method -> colour; the legend keeps its order.
        title: names the experiment.
    """
    names = [name for name in PANELS if _amounts(measures, name)]
    figure = new_figure(max(3.3 * len(names), 5) + 0.4, 4.0)
    panels = figure.subplots(1, max(1, len(names)), sharey=True, squeeze=False)
    for axes, name in zip(panels.flat, names, strict=False):
        metrics = {0.0: CLEAN} | _amounts(measures, name)
        tables = [values_by_seed(measures, metric) for metric in metrics.values()]
        for method in (method for method in colours if method in tables[0]):
            values = np.stack([table[method].to_numpy(dtype=float) for table in tables])
            colour, label = colours[method], method_label(method)
            radii = list(metrics)
            low, high = values.min(axis=1), values.max(axis=1)
            axes.fill_between(radii, low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(radii, values.mean(axis=1), "o-", markersize=4, color=colour, label=label)
        axes.set_title(PANELS[name], loc="left")
        axes.set_xlabel("radius of the ball, pixels in 0 to 1")
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    panels[0, 0].set_ylabel("accuracy")
    lines, labels = panels[0, 0].get_legend_handles_labels()
    if lines:
        figure.legend(lines, labels, loc="outside lower center", ncols=6)
    n = _n_seeds(measures)
    about = "line: mean, band: lowest to highest seed; " if n > 1 else ""
    figure.suptitle(f"{title}: accuracy under attack\n{about}{_about(measures)}")
    return figure


@styled()
def draw_deformations(measures: pd.DataFrame, colours: Mapping[str, str], title: str) -> Figure:
    """Draw one row a deformation: each seed's accuracy and, larger, the mean of each method.

    Args:
        measures: as for `draw_attacks`.
        colours: method -> colour; the legend and each row keep its order.
        title: names the experiment.
    """
    rows = {"as in training": CLEAN}
    for kind, words in DEFORMATIONS.items():
        for amount, metric in _amounts(measures, kind).items():
            shown = f"{amount:.0%}" if kind == "zoom" else f"{amount:g}"
            rows[words.format(shown)] = metric
    methods = [method for method in colours if method in set(measures["method"])]
    figure = new_figure(7.0, (0.14 * len(methods) + 0.16) * len(rows) + 1.5)
    axes = figure.subplots()
    for i, metric in enumerate(rows.values()):
        table = values_by_seed(measures, metric)
        for method, y in zip(methods, i + _offsets(len(methods)), strict=True):
            if method in table:
                _draw_seeds(axes, table[method].to_numpy(dtype=float), y, colours[method])
        axes.axhline(i + 0.5, color="#e6e6e6", linewidth=0.6)
    for method in methods:
        axes.plot([], [], "o", color=colours[method], label=method_label(method))
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("accuracy")
    figure.legend(loc="outside lower center", ncols=6)
    about = "small dots: one seed each, large dot: mean; " if _n_seeds(measures) > 1 else ""
    figure.suptitle(f"{title}: accuracy on deformed images\n{about}{_about(measures)}")
    return figure


def _draw_seeds(axes: Axes, values: np.ndarray, y: float, colour: str) -> None:
    if len(values) > 1:
        axes.scatter(values, np.full(len(values), y), s=9, color=colour, alpha=0.5, linewidth=0)
    axes.plot(values.mean(), y, "o", color=colour, markersize=5)


def _offsets(n: int) -> np.ndarray:
    return (np.arange(n) - (n - 1) / 2) * 0.7 / max(n, 1)


def _amounts(measures: pd.DataFrame, name: str) -> dict[float, str]:
    """Find the metrics ``NAME_accuracy_AMOUNT``, by amount in ascending order."""
    start = f"{name}_accuracy_"
    metrics = [metric for metric in measures["metric"].unique() if metric.startswith(start)]
    found = {float(metric.removeprefix(start).replace("_", ".")): metric for metric in metrics}
    return dict(sorted(found.items()))


def _n_seeds(measures: pd.DataFrame) -> int:
    return int(measures["seed"].nunique())


def _about(measures: pd.DataFrame) -> str:
    n = _n_seeds(measures)
    samples = int(measures.loc[measures["metric"] == "samples", "value"].min())
    return f"{f'n = {n} seeds' if n > 1 else 'one seed'}, {samples:,} test images each"
