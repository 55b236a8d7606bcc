"""The ledger for readers: each claim in words, with its picture and what to run for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pandas as pd

from study.figures.style import method_label
from study.inference.verdicts import (
    CONTRADICTED,
    DIFFERENT,
    EQUIVALENT,
    NEGLIGIBLE,
    NOT_ASKED,
    ONE_SIDED,
    OPPOSITE,
    SMALLER,
    SUPPORTED,
    WRONG_SIGN,
)
from study.inference.wording import (
    confidence_text,
    effect_text,
    is_number,
    needed_text,
    proper_minus,
    seeds_text,
    signed,
)
from study.measures.catalogue import label
from study.paired import as_shares, effects, two_sides
from study.report.charts import IntervalChart, interval_chart
from study.report.gallery import Picture, evidence

# seed, value, other value, their difference
SeedValues = tuple[int, float, float, float]

INSTEAD = {
    NEGLIGIBLE: "Only by less than matters.",
    EQUIVALENT: "No: there is no difference that matters.",
    SMALLER: "No: it is less than claimed, or the opposite.",
    OPPOSITE: "No: the opposite was found.",
    WRONG_SIGN: "No: it is the opposite, but not surely by as much as matters.",
    DIFFERENT: "No: they differ.",
    ONE_SIDED: "No: it is the same on nearly every seed.",
}
"""Outcome of a contradicted claim -> the answer to it."""


@dataclass(frozen=True)
class ClaimView:
    """One claim as the page shows it; ``row`` has the columns of the ledger's table."""

    row: dict[str, Any]
    question: str
    found: str
    claimed: str
    needed: str
    seeds_needed: str
    values: Sequence[SeedValues]
    confidence: str
    charts: Sequence[tuple[str, IntervalChart]]
    twin_of: Sequence[str]
    pictures: Sequence[Picture]

    @property
    def answer(self) -> str:
        """Whether it is so, in plain words; "" as long as that is open."""
        if self.row["verdict"] == CONTRADICTED:
            return INSTEAD[self.row["outcome"]]
        return "Yes." if self.row["verdict"] == SUPPORTED else ""


def claim_views(
    ledger: pd.DataFrame, runs: pd.DataFrame, pictures: Sequence[Picture]
) -> list[ClaimView]:
    """Put every claim of the ledger into words and pictures.

    Args:
        ledger: ``metrics/claims.csv``.
        runs: ``metrics/runs.csv``.
        pictures: the figures, for those in which a claim can be seen.
    """
    rows: list[Any] = ledger.to_dict("records")
    twins = {
        row["id"]: [str(other["id"]) for other in rows if other["twin"] == row["id"]]
        for row in rows
    }
    return [
        _view(
            row,
            [] if row["verdict"] == NOT_ASKED else _values(row, runs),
            twins[row["id"]],
            list(evidence(pictures, row["experiment"], row["metric"])),
        )
        for row in rows
    ]


def _view(
    row: dict[str, Any],
    values: Sequence[SeedValues],
    twin_of: list[str],
    pictures: list[Picture],
) -> ClaimView:
    return ClaimView(
        row,
        _question(row),
        proper_minus(effect_text(SimpleNamespace(**row))),
        _claimed(row),
        needed_text(SimpleNamespace(**row)),
        "" if math.isnan(row["seeds_low"]) else seeds_text(row["seeds_low"], row["seeds_high"]),
        values,
        confidence_text(row["level"]),
        [] if row["verdict"] == NOT_ASKED else _charts(row, values),
        twin_of,
        pictures,
    )


def _label(other: Any) -> str:
    return f"{float(other):g}" if is_number(other) else method_label(str(other))


def _other(row: dict[str, Any]) -> str:
    """Name the other side of a comparison, with its measure where that is another."""
    if not row["other_metric"]:
        return _label(row["other"])
    return f"{_label(row['other'])} ({label(row['other_metric'])})"


def _values(row: dict[str, Any], runs: pd.DataFrame) -> list[SeedValues]:
    """List seed, value, other value and their difference for every seed that has both."""
    than = (row["other"], row["other_metric"] or row["metric"])
    of_method, of_other = two_sides(
        runs,
        row["experiment"],
        (row["method"], row["metric"]),
        float(row["other"]) if is_number(row["other"]) else than,
    )
    found = effects(of_method, of_other, relative=bool(row["relative"]))
    differences = as_shares(found) if row["relative"] else found
    numbers = pd.DataFrame({"method": of_method, "other": of_other, "difference": differences})
    numbers = numbers.reindex(of_method.index).dropna().iloc[: row["n"]]  # those of the look
    return [(int(s), float(a), float(b), float(d)) for s, a, b, d in numbers.itertuples()]


def _question(row: dict[str, Any]) -> str:
    return (
        f"Measured in {row['experiment']}: {label(row['metric'])}; "
        f"{method_label(row['method'])} against {_other(row)}"
    )


def _claimed(row: dict[str, Any]) -> str:
    other, smallest = _other(row), row["smallest"]
    share = f"{100 * smallest:g} %"
    amount = share if row["relative"] else f"{smallest:g}"
    by_more = f" by more than {amount}" if smallest else ""
    return {
        "higher": f"higher than {other}{by_more}",
        "lower": f"lower than {other}{by_more}",
        "same": f"the same as {other} up to {amount}",
        "not_higher": f"not higher than {other} by {amount}",
        "not_lower": f"not lower than {other} by {amount}",
        "varies": f"higher than {other} on {share} to {100 * (1 - smallest):g} % of the seeds",
    }[row["direction"]]


def _charts(row: dict[str, Any], values: Sequence[SeedValues]) -> list[tuple[str, IntervalChart]]:
    """Draw the seeds with mean and interval: differences, or values where the other is a number.

    A share of the seeds has an axis of its own.
    """
    metric, method, other = label(row["metric"]), method_label(row["method"]), row["other"]
    than = _other(row)
    against_number = is_number(other) and not row["relative"]
    shift = float(other) if against_number else 0.0
    shown = [(seed, difference + shift) for seed, *_, difference in values]
    spread = max((n for _, n in shown), default=0.0) - min((n for _, n in shown), default=0.0)
    dots = {f"seed {s}": (n, f"seed {s}: {_written(n, spread, row)}") for s, n in shown}
    estimate = (row["difference"] + shift, row["low"] + shift, row["high"] + shift)
    # nothing is less by more than 100 %, so that is no bound
    bound_low = -math.inf if row["relative"] and row["bound_low"] <= -1 else row["bound_low"]
    region = (bound_low + shift, row["bound_high"] + shift)
    unit = ", logarithmic, in % of the latter" if row["relative"] else ""
    difference = f"{metric}: {method} minus {than}{unit}"
    axis = f"{metric} of {method}" if against_number else difference
    if row["direction"] != "varies":
        marks = [shift - row["smallest"], shift + row["smallest"]] if row["smallest"] else []
        chart = interval_chart(
            *(dots, estimate, region),
            reference=shift,
            marks=[mark for mark in marks if mark > -1 or not row["relative"]],
            ratio=bool(row["relative"]),
        )
        return [(axis, chart)]
    share = interval_chart({}, estimate, region, percent=True, limits=(0, 1))
    higher = f"share of seeds on which {metric} is higher with {method} than with {than}"
    return [(axis, interval_chart(dots, None, None)), (higher, share)]


def _written(value: float, spread: float, row: dict[str, Any]) -> str:
    if row["relative"]:
        return f"{signed(100 * value, 100 * spread)} %"
    return signed(value, spread)
