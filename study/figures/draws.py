"""The random draws of mixing: where it entered (k) and how strongly (lam), over training."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import betaln

from study.figures.style import method_label, new_figure, seeds_said, set_heading, styled

FEW = 1000
"""Draws below which a bar, about a tenth of them, strays from its expectation by 10 % and more."""


def layers_mixed(k: pd.Series, n_hidden: int) -> list[int | str]:
    """List the layers of a net for the axis: 0..K where k are numbers, else the names there are."""
    if pd.api.types.is_numeric_dtype(k):
        return list(range(n_hidden + 1))
    return sorted(set(k.dropna().map(str)), key=lambda name: (name != "input", name))


def drawn_alike(alphas: Mapping[str, float]) -> tuple[list[str], float]:
    """List the methods whose lam is of one distribution, that of the first, and give its alpha.

    Args:
        alphas: those of methods that mix and choose no alpha; at least one.
    """
    alpha = next(iter(alphas.values()))
    return [method for method, of_method in alphas.items() if of_method == alpha], alpha


@styled()
def draw_draws(
    histories: pd.DataFrame,
    colours: Mapping[str, str],
    alpha: float,
    layers: Sequence[int | str],
    title: str,
) -> Figure:
    """Draw k and lam at the evaluated steps of one seed, and their shares over all seeds.

    Args:
        histories: the rows of every mixing run's history.csv, with its method and seed: method,
            seed, step, k, lam. Methods are drawn in the order they appear; the first seed is the
            one whose steps are drawn.
        colours: method -> colour.
        alpha: of the Beta(alpha, alpha) that lam was drawn from; its density is drawn too.
        layers: what the axis of k shows, from below: 0..K, or the names of layers.
        title: names the experiment.
    """
    if "input" in layers:  # names of layers, some of which may be numbers
        histories = histories.assign(k=histories["k"].map(str))
    methods, seeds = histories["method"].unique(), histories["seed"].unique()
    figure = new_figure(9.0, 1.6 * len(methods) + 1.2)
    widths = [3, 1, 3, 1]
    panels = figure.subplots(len(methods), 4, sharex="col", width_ratios=widths, squeeze=False)
    for row, method in zip(panels, methods, strict=True):
        every = histories[histories["method"] == method]
        first = every[every["seed"] == seeds[0]]
        _draw_k(row[0], row[1], first, every, colours[method], layers)
        _draw_lam(row[2], row[3], first, every, colours[method], alpha)
        set_heading(row[0], method_label(method), loc="left", fontweight="bold")
    labels = ["optimiser step", "share", "optimiser step", "density"]
    for axes, label in zip(panels[-1], labels, strict=True):
        axes.set_xlabel(label)
    n_draws = len(histories) // len(methods)
    notes = ["methods are paired: of one seed all draw the same lam"] * (len(methods) > 1)
    notes += ["of so few draws bars stray from the line"] * (n_draws < FEW)
    figure.suptitle(
        f"{title}: layer k where mixing entered, and weight lam of the original sample\n"
        f"{seeds_said(len(seeds))}; dots: recorded steps of seed {seeds[0]}; "
        f"bars: all {n_draws:,} recorded steps; line: Beta({alpha:g}, {alpha:g})\n"
        + "; ".join(notes)
    )
    return figure


def _draw_k(
    over_time: Axes,
    share: Axes,
    first: pd.DataFrame,
    every: pd.DataFrame,
    colour: str,
    layers: Sequence[int | str],
) -> None:
    places = {layer: place for place, layer in enumerate(layers)}
    over_time.scatter(first["step"], first["k"].map(places), s=7, color=colour)
    shares = [np.mean(every["k"] == k) for k in layers]
    share.barh(range(len(layers)), shares, height=0.6, color=colour)
    over_time.set_ylabel("layer" if "input" in layers else "k (0: input)")
    for axes in (over_time, share):
        axes.set_yticks(range(len(layers)), list(map(str, layers)))
        axes.set_ylim(-0.6, len(layers) - 0.4)
    share.set_xlim(0, 1)


def _draw_lam(
    over_time: Axes,
    density: Axes,
    first: pd.DataFrame,
    every: pd.DataFrame,
    colour: str,
    alpha: float,
) -> None:
    over_time.scatter(first["step"], first["lam"], s=7, color=colour)
    bins = np.linspace(0, 1, 11).tolist()
    density.hist(
        every["lam"], bins=bins, density=True, orientation="horizontal", color=colour, alpha=0.6
    )
    grid = np.linspace(0.005, 0.995, 199)
    of_beta = np.exp((alpha - 1) * np.log(grid * (1 - grid)) - betaln(alpha, alpha))
    density.plot(of_beta, grid, color="#333333", linewidth=1.2)
    over_time.set_ylabel("lam")
    for axes in (over_time, density):
        axes.set(yticks=[0, 0.5, 1], ylim=(-0.03, 1.03))
