"""Singular values of each class's states, the methods on one axis."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from study.figures.style import (
    RANGE,
    legend_below,
    log_scale,
    method_label,
    new_figure,
    seeds_said,
    set_heading,
    shared_panels,
    styled,
)
from study.measures.spectra import SCALINGS, SEEN


@styled()
def draw_spectra(
    spectra: pd.DataFrame, colours: Mapping[str, str], scaling: str, title: str
) -> Figure:
    """Draw every class's spectrum: the mean over seeds, in a band from lowest to highest seed.

    Args:
        spectra: the rows of ``metrics/spectra.csv`` of one experiment, split and scaling:
            method, seed, digit, index (from 1), value.
        colours: method -> colour; the legend keeps its order.
        scaling: raw, centred or scale_free.
        title: names the experiment and the split.
    """
    digits = sorted(spectra["digit"].unique())
    methods = [method for method in colours if method in set(spectra["method"])]
    n_columns = min(5, len(digits))
    n_rows = -(-len(digits) // n_columns)
    figure = new_figure(max(1.8 * n_columns + 0.6, 7.0), 2.0 * n_rows + 1.3)
    panels = shared_panels(figure, n_rows, n_columns)
    for axes, digit in zip(panels.flat, digits, strict=False):
        for method in methods:
            rows = spectra[(spectra["digit"] == digit) & (spectra["method"] == method)]
            over_seeds = rows.groupby("index")["value"]
            mean, low, high = over_seeds.mean(), over_seeds.min(), over_seeds.max()
            colour = colours[method]
            axes.plot(mean.index, mean, color=colour, label=method_label(method))
            axes.fill_between(mean.index, low, high, color=colour, alpha=0.2, linewidth=0)
        set_heading(axes, f"class {digit}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    log_scale(panels[0, 0], "y", spectra["value"])
    for axes in panels.flat[len(digits) :]:
        axes.set_visible(False)
    for axes in panels[-1]:
        axes.set_xlabel("index")
    for axes in panels[:, 0]:
        axes.set_ylabel("singular value")
    n = spectra["seed"].nunique()
    spread = seeds_said(n, f"line: mean, band: {RANGE}")
    about = ": ".join(of[scaling] for of in (SCALINGS, SEEN) if scaling in of)
    figure.suptitle(f"{title}: singular values of the states of each class\n{about}\n{spread}")
    legend_below(figure, *panels[0, 0].get_legend_handles_labels())
    return figure
