import math
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from mixup.study.inference.wording import counts_text, decimals, effect_text, mean_text, needed_text


def row(**changes: Any) -> SimpleNamespace:
    plain = {
        "difference": 0.2134,
        "low": 0.1504,
        "high": 0.2764,
        "relative": False,
        "direction": "higher",
        "other": "baseline",
        "verdict": "inconclusive",
        "seeds_needed": 17.0,
    }
    return SimpleNamespace(**(plain | changes))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "+0.21 (+0.15 to +0.28)"),
        ({"difference": -0.2, "low": -0.45, "high": 0.05}, "-0.20 (-0.45 to +0.05)"),
        ({"low": 0.21, "high": 0.2168}, "+0.2134 (+0.2100 to +0.2168)"),
        ({"relative": True}, "+21 % (+15 to +28)"),
        ({"direction": "varies"}, "21 % of seeds (15 to 28)"),
        ({"other": 0}, "0.21 (0.15 to 0.28)"),
        ({"other": "0.5"}, "0.71 (0.65 to 0.78)"),
        ({"other": "-0.5"}, "-0.29 (-0.35 to -0.22)"),
        ({"other": 0.5, "relative": True}, "+21 % (+15 to +28)"),
        ({"low": math.nan, "high": math.nan}, "+0.2134"),
        ({"difference": math.nan}, "not measured"),
    ],
)
def test_effect(changes, text):
    assert effect_text(row(**changes)) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "about 17 seeds would settle it"),
        ({"seeds_needed": math.inf}, "more than 1,000 seeds would settle it"),
        ({"seeds_needed": math.nan}, ""),
        ({"verdict": "supported"}, ""),
    ],
)
def test_seeds_needed(changes, text):
    assert needed_text(row(**changes)) == text


def test_counts_every_verdict():
    ledger = pd.DataFrame({"verdict": ["supported", "inconclusive", "supported"]})
    assert counts_text(ledger) == "3 claims: 2 supported, 0 contradicted, 1 inconclusive"
    assert counts_text(ledger[:1]).startswith("1 claim: ")


def test_counts_what_was_not_asked_where_there_is_any():
    ledger = pd.DataFrame({"verdict": ["supported", "not asked", "not asked"]})
    assert counts_text(ledger) == (
        "3 claims: 1 supported, 0 contradicted, 0 inconclusive, 2 not asked"
    )


def test_says_why_a_claim_was_not_asked():
    unasked = row(verdict="not asked", difference=math.nan, note="dropout was not run")
    assert effect_text(unasked) == "dropout was not run"


def test_means():
    assert mean_text(0.88512, 0.8723, 0.8979) == "0.885 ± 0.013"
    assert mean_text(2000.0, -484.0, 4484.0) == "2000 ± 2484"
    assert mean_text(0.123456, math.nan, math.nan) == "0.1235"
    assert mean_text(0.5, 0.5, 0.5) == "0.5"
    assert mean_text(math.nan, math.nan, math.nan) == ""


@pytest.mark.parametrize(
    ("spread", "places"), [(0.013, 3), (0.13, 2), (1.3, 1), (13, 0), (1e4, 0), (1e-9, 5), (0, 4)]
)
def test_two_digits_of_the_spread(spread, places):
    assert decimals(spread) == places
