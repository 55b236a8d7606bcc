"""Put numbers into words, the same way wherever people read them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd

from study.inference.power import MOST_SEEDS
from study.inference.verdicts import CONTRADICTED, INCONCLUSIVE, NOT_ASKED, VERDICTS

QUESTION = [
    *("experiment", "metric", "method", "other", "other_metric"),
    *("bound_low", "bound_high", "relative"),
]


def effect_text(row: Any) -> str:
    """Word an effect and its interval, as ``+0.213 (+0.150 to +0.276)``.

    Args:
        row: a row of the ledger, with its columns as attributes.

    Returns:
        The difference in the metric's unit, in per cent of the other value if ``relative``;
        without a sign, the mean itself where it was compared with a number, and the share of the
        seeds with the direction ``varies``. Without the interval where there is none.
    """
    if row.verdict == NOT_ASKED:
        return str(row.note)
    if math.isnan(row.difference):
        return "not measured"
    scale, shift, sign, unit = 1, 0.0, "+", ""
    if row.direction == "varies":
        scale, sign, unit = 100, "", " % of seeds"
    elif row.relative:
        scale, unit = 100, " %"
    elif is_number(row.other):
        shift, sign = float(row.other), ""
    numbers = [scale * (number + shift) for number in (row.difference, row.low, row.high)]
    places = decimals(numbers[2] - numbers[1])
    effect, low, high = (f"{number:{sign}.{places}f}" for number in numbers)
    return f"{effect}{unit}" + ("" if math.isnan(row.low) else f" ({low} to {high})")


def needed_text(row: Any) -> str:
    """Say of an inconclusive claim how many seeds would settle it; "" of any other."""
    if row.verdict != INCONCLUSIVE or math.isnan(row.seeds_low):
        return ""
    if str(row.decidable) == "False":
        return f"cannot be decided with {row.n} seeds: no result of them would be significant"
    seeds = seeds_text(row.seeds_low, row.seeds_high)
    if math.isinf(row.seeds_low):
        return f"{seeds} seeds would settle it"
    return f"a new study planned with {seeds} seeds would settle it"


def seeds_text(low: float, high: float) -> str:
    """Word a range of seeds, as ``8 to 109``; its ends are known roughly."""
    if math.isinf(low):
        return f"not even {MOST_SEEDS:,}"
    if math.isinf(high):
        return f"{low:.0f} or more"
    return f"{low:.0f} to {high:.0f}" if low < high else f"about {low:.0f}"


def confidence_text(level: float) -> str:
    """Word what an interval of that level covers, as ``95 %``."""
    return f"{100 * (1 - level):.4g} %"


def count_verdicts(verdicts: Iterable[str]) -> dict[str, int]:
    """Count verdicts: those that no claim has included, and not asked where some were not."""
    found = Counter(verdicts)
    counts = {verdict: found[verdict] for verdict in VERDICTS}
    return counts | ({NOT_ASKED: found[NOT_ASKED]} if found[NOT_ASKED] else {})


def instead_text(ledger: pd.DataFrame) -> str:
    """Count what is so instead of the contradicted claims, as ``2 opposite, 1 different``."""
    outcomes = ledger.loc[ledger["verdict"] == CONTRADICTED, "outcome"].value_counts()
    return ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())


def range_text(numbers: Iterable[int]) -> str:
    """Word the numbers of seeds of what is compared, as ``10 to 20 seeds`` or ``1 seed``."""
    least, most = min(numbers := list(numbers)), max(numbers)
    return f"{least} to {most} seeds" if least < most else f"{most} seed{'s' * (most != 1)}"


def counts_text(ledger: pd.DataFrame) -> str:
    """Count the verdicts, as ``3 claims: 1 supported, 0 contradicted, 2 inconclusive``.

    Claims that were not asked are counted where there are any. Where some ask the same, it is
    ``3 claims that ask 2 questions``.
    """
    counts = count_verdicts(ledger["verdict"])
    listed = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    n = count_questions(ledger)
    asking = f" that ask {n} question{'s' * (n != 1)}" if n < len(ledger) else ""
    return f"{len(ledger)} claim{'s' * (len(ledger) != 1)}{asking}: {listed}"


def count_questions(ledger: pd.DataFrame) -> int:
    """Count the different questions that the claims of a ledger ask: each is one test.

    Source: `study.inference.claims.Claim.question`, here by the columns of the table.
    """
    other_metric = ledger["other_metric"].where(ledger["other_metric"] != "", ledger["metric"])
    return len(ledger.assign(other_metric=other_metric)[QUESTION].drop_duplicates())


def mean_text(mean: float, low: float, high: float) -> str:
    """Word a mean and half of its interval, as ``0.885 ± 0.013``; "" if there is no mean."""
    if math.isnan(mean):
        return ""
    half_width = (high - low) / 2
    if not half_width > 0:
        return f"{mean:.4g}"
    places = decimals(half_width)
    return f"{mean:.{places}f} ± {half_width:.{places}f}"


def decimals(spread: float) -> int:
    """Give the decimal places, five at most, that show two significant digits of ``spread``."""
    return min(max(0, 1 - math.floor(math.log10(spread))), 5) if spread > 0 else 4


def is_number(other: object) -> bool:
    """Whether a claim compares with a number: names of methods begin with a letter."""
    return not str(other)[:1].isalpha()


MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"


def digits(value: float, significant: int = 4) -> str:
    """Write ``value`` with so many significant digits; a dash for a missing one."""
    return _dash_or(f"{value:.{significant}g}", value)


def signed(value: float, spread: float = math.nan) -> str:
    """Write a difference with its sign, to two significant digits of ``spread`` where it has one.

    Args:
        value: the difference.
        spread: the width of its interval; NaN or 0 for none, then three significant digits.
    """
    text = f"{value:+.{decimals(spread)}f}" if spread > 0 else f"{value:+.3g}"
    return _dash_or(text, value)


def interval(low: float, high: float) -> str:
    """Write an interval as ``-0.10 to +0.32``, to two significant digits of its width."""
    if math.isnan(low) or math.isnan(high):
        return NOTHING
    return f"{signed(low, high - low)} to {signed(high, high - low)}"


def exact(value: float) -> str:
    """Write ``value`` so that Python and JavaScript read it back; nothing for a missing one."""
    return "" if math.isnan(value) else repr(float(value)).replace("inf", "Infinity")


def proper_minus(text: str) -> str:
    """Replace hyphens before digits by minus signs."""
    return re.sub(r"-(?=[\d.]|inf)", MINUS, text)


def _dash_or(text: str, value: float) -> str:
    return NOTHING if math.isnan(value) else proper_minus(text)
