import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from study.inference.claims import read_claims
from study.inference.ledger import read_ledger
from study.inference.wording import (
    confidence_text,
    count_questions,
    counts_text,
    decimals,
    digits,
    effect_text,
    exact,
    instead_text,
    interval,
    mean_text,
    needed_text,
    proper_minus,
    range_text,
    seeds_text,
    signed,
)

ROOT = Path(__file__).parents[3]


def row(**changes: Any) -> SimpleNamespace:
    plain = {
        "difference": 0.2134,
        "low": 0.1504,
        "high": 0.2764,
        "relative": False,
        "direction": "higher",
        "other": "baseline",
        "verdict": "inconclusive",
        "n": 5,
        "decidable": "",
        "seeds_low": 8.0,
        "seeds_high": 109.0,
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
        ({}, "a new study planned with 8 to 109 seeds would settle it"),
        ({"seeds_high": 8.0}, "a new study planned with about 8 seeds would settle it"),
        ({"seeds_high": math.inf}, "a new study planned with 8 or more seeds would settle it"),
        (
            {"seeds_low": math.inf, "seeds_high": math.inf},
            "not even 1,000 seeds would settle it",
        ),
        ({"seeds_low": math.nan}, ""),
        ({"verdict": "supported"}, ""),
        *[
            (
                {"decidable": said},
                "cannot be decided with 5 seeds: no result of them would be significant",
            )
            for said in (False, "False")
        ],
    ],
)
def test_seeds_needed(changes, text):
    assert needed_text(row(**changes)) == text


def test_seeds_alone_say_what_the_sentence_says():
    assert seeds_text(8.0, 109.0) == "8 to 109"
    assert seeds_text(math.inf, math.inf) == "not even 1,000"


@pytest.mark.parametrize(("level", "text"), [(0.05, "95 %"), (0.015, "98.5 %"), (0.01, "99 %")])
def test_what_an_interval_covers(level, text):
    assert confidence_text(level) == text


def of_verdicts(*verdicts: str) -> pd.DataFrame:
    """Make a ledger whose claims each ask for a smallest difference of their own."""
    question = {
        "experiment": "e",
        "metric": "m",
        "method": "manifold",
        "other": "baseline",
        "other_metric": "",
        "bound_high": math.inf,
        "relative": False,
    }
    return pd.DataFrame(
        question | {"verdict": verdict, "bound_low": 0.1 * place}
        for place, verdict in enumerate(verdicts)
    )


def test_counts_every_verdict():
    ledger = of_verdicts("supported", "inconclusive", "supported")
    assert counts_text(ledger) == "3 claims: 2 supported, 0 contradicted, 1 inconclusive"
    assert counts_text(ledger[:1]).startswith("1 claim: ")


def test_contradicted_claims_are_counted_by_what_is_so_instead():
    ledger = of_verdicts("contradicted", "inconclusive", "contradicted", "contradicted")
    ledger["outcome"] = ["different", "open", "opposite", "opposite"]
    assert instead_text(ledger) == "2 opposite, 1 different"
    assert instead_text(ledger[1:2]) == ""


@pytest.mark.parametrize(
    ("numbers", "said"), [([1, 1], "1 seed"), ([2], "2 seeds"), ([3, 2, 3], "2 to 3 seeds")]
)
def test_numbers_of_seeds_are_a_range(numbers: list[int], said: str):
    assert range_text(numbers) == said


def test_claims_that_ask_the_same_are_one_question():
    ledger = of_verdicts("supported", "supported", "inconclusive")
    ledger["bound_low"] = [0.1, 0.1, 0.2]
    assert count_questions(ledger) == 2
    assert counts_text(ledger) == (
        "3 claims that ask 2 questions: 2 supported, 0 contradicted, 1 inconclusive"
    )
    ledger["other_metric"] = ["m", "", ""]  # which is the same as without
    assert count_questions(ledger) == 2
    ledger["other_metric"] = ["n", "", ""]
    assert count_questions(ledger) == 3


@pytest.mark.parametrize("study", [".", "full"])
def test_questions_of_a_ledger_are_those_of_its_claims(study: str):
    asked = {claim.question for claim in read_claims(ROOT / study / "claims.yaml")}
    assert count_questions(read_ledger(ROOT / study / "metrics/claims.csv")) == len(asked)


def test_counts_what_was_not_asked_where_there_is_any():
    ledger = of_verdicts("supported", "not asked", "not asked")
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
