"""Sentences made from numbers, so that they are true of whatever numbers there are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from study.figures.style import method_label
from study.inference.wording import digits, interval, signed
from study.measures.catalogue import label
from study.tables import BASELINE

# Of more methods than this, a sentence names those at both ends.
MOST_NAMED = 8


def listed(words: Sequence[str]) -> str:
    """Join words as ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def finding(summary: pd.DataFrame, metric: str) -> str:
    """Say who has most and least of a metric, and how each method compares with the baseline.

    "Higher" and "lower" are said only where the 95 % interval of the paired difference leaves
    out zero. Of more than `MOST_NAMED` methods, not every number is said.

    Args:
        summary: one experiment's rows of ``metrics/summary.csv``.
        metric: what to look at.

    Returns:
        One or two sentences; nothing where the metric was not measured.
    """
    rows = summary[(summary["metric"] == metric) & summary["mean"].notna()]
    if rows.empty:
        return ""
    of_seeds = f"mean of {rows['n'].max()} seeds" if rows["n"].max() > 1 else "one seed"
    ranked = rows.sort_values("mean", ascending=False, kind="stable")
    means = [
        f"{digits(mean, 3)} for {method_label(method)}"
        for method, mean in zip(ranked["method"], ranked["mean"], strict=True)
    ]
    said = listed(means)
    if len(means) > MOST_NAMED:
        said = f"of {len(means)} methods from {means[0]} down to {means[-1]}"
    all_equal = len(means) > 1 and rows["mean"].nunique() == 1 and not rows["difference"].any()
    if all_equal:
        said = f"{digits(rows['mean'].iloc[0], 3)} for each of {len(means)} methods"
    words = label(metric)
    first = f"{words[0].upper()}{words[1:]} ({of_seeds}): {said}."
    return first if all_equal else " ".join(filter(None, [first, _against_baseline(rows)]))


def _against_baseline(rows: pd.DataFrame) -> str:
    rows = rows[rows["difference"].notna() & (rows["method"] != BASELINE)]
    compared: dict[str, list[str]] = {"higher": [], "lower": [], "not clearly different": []}
    numbers = rows[["difference", "difference_low", "difference_high"]].to_numpy(dtype=float)
    for method, (difference, low, high) in zip(rows["method"], numbers, strict=True):
        if math.isnan(low):
            continue
        word = "higher" if low > 0 else "lower" if high < 0 else "not clearly different"
        said = f" ({signed(difference, high - low)}, {interval(low, high)})"
        compared[word].append(method_label(method) + said * (len(rows) < MOST_NAMED))
    parts = [f"{word} for {listed(who)}" for word, who in compared.items() if who]
    return f"Against the baseline, paired by seed, it is {'; '.join(parts)}." if parts else ""


def overfitting(curves: pd.DataFrame) -> str:
    """Say whose mean test loss rises most after its lowest point, and whose ends at its lowest.

    Args:
        curves: one experiment's rows of ``metrics/curves.csv``.
    """
    rises = {}
    for method, rows in curves[curves["quantity"] == "test_loss"].groupby("method", sort=False):
        losses = rows.sort_values("step").set_index("step")["mean"]
        if losses.notna().all():
            rises[str(method)] = (losses.iloc[-1] / losses.min(), losses)
    if not rises:
        return ""
    worst, (rise, losses) = max(rises.items(), key=lambda item: item[1][0])
    if rise == 1:
        return "The mean test loss of every method ends at its lowest recorded value."
    sentence = (
        f"The mean test loss rises most for {method_label(worst)}: from its lowest recorded value, "
        f"{digits(losses.min(), 3)} at step {losses.idxmin()}, to {digits(losses.iloc[-1], 3)} "
        f"at step {losses.index[-1]}."
    )
    lowest_last = [method_label(method) for method, (rise, _) in rises.items() if rise == 1]
    ending = f"It ends at its lowest for {listed(lowest_last)}." if lowest_last else ""
    return " ".join(filter(None, [sentence, ending]))


def _layer(k: float | str) -> str:
    return k if isinstance(k, str) else f"{k:.0f}"


def _place(k: float | str) -> tuple[bool, float | str]:
    return isinstance(k, str), k


def drawn(histories: pd.DataFrame, alpha: float) -> str:
    """Say what was recorded of the random draws, next to what is expected of them.

    Args:
        histories: the rows of one experiment's histories: method, k, lam.
        alpha: of the Beta(alpha, alpha) that lam was drawn from.
    """
    rows = histories.dropna(subset=["k", "lam"])
    if rows.empty:
        return ""
    layers = {
        str(method): ", ".join(_layer(k) for k in sorted(of_method["k"].unique(), key=_place))
        for method, of_method in rows.groupby("method", sort=False)
    }
    where = listed([f"{k} for {method_label(method)}" for method, k in layers.items()])
    expected = math.sqrt(1 / (4 * (2 * alpha + 1)))
    return (
        f"{len(rows):,} steps were recorded. Their lam has mean {digits(rows['lam'].mean(), 3)} "
        f"and standard deviation {digits(rows['lam'].std(ddof=0), 3)}; "
        f"those of Beta({alpha:g}, {alpha:g}) are 0.5 and {digits(expected, 3)}. "
        f"The layers k recorded: {where}."
    )
