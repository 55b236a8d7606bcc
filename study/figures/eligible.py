"""A measure against where mixing may enter and against alpha, as a heat map."""

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from study.figures.style import new_figure, seeds_said, styled
from study.measures.catalogue import find
from study.measures.catalogue import title as title_of
from study.training.config import MethodConfig

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
    if "baseline" not in rows.index:
        return ""
    mean, low, high = rows.loc["baseline", ["mean", "low", "high"]].to_numpy(dtype=float)
    spread = f" ± {(high - low) / 2:.3f}" if np.isfinite(high) else ""
    return f"baseline {mean:.3f}{spread}"
