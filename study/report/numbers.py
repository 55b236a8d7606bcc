"""How numbers are written for people: a proper minus sign, and no more digits than they carry."""

from __future__ import annotations

import math
import re

from study.inference.wording import decimals

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
