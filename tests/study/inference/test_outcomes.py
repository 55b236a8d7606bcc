"""What was found, for every way in which an interval can lie to zero and what matters."""

import math

import pytest

from study.inference.outcomes import outcome
from study.inference.verdicts import Estimate, Region

MATTERS = Region(-0.5, 0.5)
YES, NO = "supported", "contradicted"


@pytest.mark.parametrize(
    ("direction", "low", "high", "verdict", "found"),
    [
        ("higher", 0.6, 0.9, YES, "as claimed"),
        ("higher", 0.1, 0.4, NO, "right sign but negligible"),
        ("higher", -0.1, 0.4, NO, "no difference that matters"),
        ("higher", -0.7, 0.4, NO, "smaller than claimed or opposite"),
        ("higher", -0.4, -0.1, NO, "opposite"),
        ("higher", -0.9, -0.7, NO, "opposite"),
        ("higher", -0.7, 0.9, "inconclusive", "open"),
        ("lower", -0.9, -0.6, YES, "as claimed"),
        ("lower", -0.4, -0.1, NO, "right sign but negligible"),
        ("lower", -0.4, 0.1, NO, "no difference that matters"),
        ("lower", -0.4, 0.7, NO, "smaller than claimed or opposite"),
        ("lower", 0.1, 0.4, NO, "opposite"),
        ("same", -0.1, 0.1, YES, "no difference that matters"),
        ("same", 0.6, 0.7, NO, "different"),
        ("not_higher", -0.9, 0.4, YES, "as claimed"),
        ("not_higher", 0.6, 0.9, NO, "opposite"),
        ("not_lower", -0.9, -0.6, NO, "opposite"),
        ("varies", 0.3, 0.6, YES, "as claimed"),
        ("varies", 0.95, 1.0, NO, "does not depend on the seed"),
        ("higher", math.nan, math.nan, "not asked", "open"),
    ],
)
def test_outcome(direction, low, high, verdict, found):
    estimate = Estimate(5, (low + high) / 2, low=low, high=high)
    assert outcome(direction, MATTERS, estimate, verdict) == found


def test_relative_differences_have_another_smallest_on_each_side():
    matters = Region(math.log(0.5), math.log(1.5))
    found = outcome("higher", matters, Estimate(5, -0.3, low=-0.65, high=0.1), NO)
    assert found == "no difference that matters"
    found = outcome("lower", matters, Estimate(5, 0.3, low=-0.1, high=0.45), NO)
    assert found == "smaller than claimed or opposite"
