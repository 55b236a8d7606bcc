"""Numbers as people read them."""

import json
import math

import pytest

from study.report.numbers import digits, exact, interval, proper_minus, signed

MINUS, NOTHING = "\N{MINUS SIGN}", "\N{EN DASH}"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.84444, "0.8444"), (-12.3456, f"{MINUS}12.35"), (5.0, "5"), (math.nan, NOTHING)],
)
def test_digits(value: float, text: str) -> None:
    assert digits(value) == text


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (0.27812, 0.08, "+0.278"),
        (-3.14159, 12.0, f"{MINUS}3"),
        (0.5, math.nan, "+0.5"),
        (0.123456, 0.0, "+0.123"),
        (math.nan, 1.0, NOTHING),
    ],
)
def test_signed(value: float, spread: float, text: str) -> None:
    assert signed(value, spread) == text


def test_interval() -> None:
    assert interval(-0.1, 0.317) == f"{MINUS}0.10 to +0.32"
    assert interval(math.nan, 0.3) == NOTHING


@pytest.mark.parametrize("value", [0.1 + 0.2, -1e-12, 3.0, math.inf, -math.inf])
def test_exact_is_read_back_unchanged(value: float) -> None:
    assert json.loads(exact(value)) == value


def test_exact_of_nothing_is_nothing() -> None:
    assert exact(math.nan) == ""


def test_proper_minus_leaves_hyphens_alone() -> None:
    assert proper_minus("two-sided: -0.5 (-1 to -.2)") == (
        f"two-sided: {MINUS}0.5 ({MINUS}1 to {MINUS}.2)"
    )
