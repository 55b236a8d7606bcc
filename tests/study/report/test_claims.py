"""Claims as readers see them, from a ledger that is computed from runs made up by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from study.inference.claims import Claim, Look
from study.inference.design import Design
from study.inference.ledger import ledger_table
from study.params import check
from study.report.claims import ClaimView, claim_views
from study.report.questions import by_question, by_source, counted
from study.tables import MEASURES

SEEDS = [5, 1, 2, 8]
VALUES = {
    "baseline": [2.0, 4.0, 1.0, 8.0],
    "manifold": [1.0, 2.1, 0.5, 3.9],
    "dropout": [2.5, 3.0, 1.2, 7.0],
}
MINUS = "\N{MINUS SIGN}"


def runs() -> pd.DataFrame:
    rows = [
        ("e", method, seed, "test_nll", value)
        for method, values in VALUES.items()
        for seed, value in zip(SEEDS, values, strict=True)
    ]
    return pd.DataFrame(rows, columns=MEASURES)


USUAL = {
    "sentence": "A claim", "source": "a paper, table 1", "experiment": "e",
    "metric": "test_nll", "method": "manifold", "than": "baseline",
}  # fmt: skip


def views(*changes: dict[str, Any]) -> list[ClaimView]:
    claims = [check(Claim, USUAL | {"id": f"c{i}"} | change) for i, change in enumerate(changes)]
    return claim_views(ledger_table(claims, runs()), runs(), [])


def test_values_are_paired_by_seed() -> None:
    (view,) = views({"direction": "lower", "smallest": 0.1})
    assert view.question == "Measured in e: test NLL, nats; manifold mixup against baseline"
    assert view.claimed == "lower than baseline by more than 0.1"
    assert view.values == [
        (seed, m, b, m - b)
        for seed, m, b in zip(SEEDS, VALUES["manifold"], VALUES["baseline"], strict=True)
    ]
    ((axis, chart),) = view.charts
    assert axis == "test NLL, nats: manifold mixup minus baseline"
    places = [x for x, *_ in chart.dots]
    assert np.argsort(places).tolist() == [3, 1, 0, 2]
    ((left, right),) = chart.regions
    assert left < min(places)
    assert right < chart.reference


def test_another_metric_of_the_other_is_shown_and_named() -> None:
    asked = {"direction": "lower", "smallest": 0.1, "than_metric": "best_nll"}
    claim = check(Claim, USUAL | asked | {"id": "c"})
    more = runs()[runs()["method"] == "baseline"].assign(metric="best_nll")
    table = pd.concat([runs(), more.assign(value=more["value"] / 4)])
    (view,) = claim_views(ledger_table([claim], table), table, [])
    assert view.question.endswith("manifold mixup against baseline (best nll)")
    assert view.claimed == "lower than baseline (best nll) by more than 0.1"
    assert view.values == [
        (seed, m, b / 4, m - b / 4)
        for seed, m, b in zip(SEEDS, VALUES["manifold"], VALUES["baseline"], strict=True)
    ]
    ((axis, _),) = view.charts
    assert axis == "test NLL, nats: manifold mixup minus baseline (best nll)"


def test_relative_claims_are_in_per_cent() -> None:
    (view,) = views({"direction": "lower", "smallest": 0.1, "relative": True})
    assert [difference for *_, difference in view.values] == pytest.approx(
        [-0.5, -0.475, -0.5, -0.5125]
    )
    assert view.found.startswith(f"{MINUS}49")
    assert " %" in view.found
    assert view.claimed == "lower than baseline by more than 10 %"
    ((axis, chart),) = view.charts
    assert axis.endswith("in % of the latter")
    assert all(words.endswith("%") for _, words in chart.ticks)
    # 100 % less is no bound: it would squeeze the seeds together
    assert f"{MINUS}100 %" not in {words for _, words in chart.ticks}


def test_comparison_with_a_number_shows_the_values_themselves() -> None:
    (view,) = views({"direction": "higher", "smallest": 0.0, "than": 1})
    assert view.question.endswith("manifold mixup against 1")
    assert view.claimed == "higher than 1"
    ((axis, chart),) = view.charts
    assert axis == "test NLL, nats of manifold mixup"
    places = [x for x, *_ in chart.dots]
    assert places[0] == chart.reference
    assert places[2] < chart.reference < places[1]


def test_a_claim_about_seeds_has_its_share_on_an_axis_of_its_own() -> None:
    (view,) = views({"direction": "varies", "smallest": 0.25, "method": "dropout"})
    assert view.found.startswith("50 % of seeds")
    assert view.claimed == "higher than baseline on 25 % to 75 % of the seeds"
    (_, differences), (axis, share) = view.charts
    assert len(differences.dots) == len(SEEDS)
    assert differences.estimate is None
    assert "dropout" in axis
    assert "baseline" in axis
    ((left, right),) = share.regions
    assert share.estimate[0] == pytest.approx((left + right) / 2, abs=0.1)


def test_open_claims_say_how_many_seeds_and_settled_ones_do_not() -> None:
    (view,) = views({"direction": "lower", "smallest": 0.0, "method": "dropout"})
    assert view.row["verdict"] == "inconclusive"
    assert view.needed == f"a new study planned with {view.seeds_needed} seeds would settle it"
    (view,) = views({"direction": "lower", "smallest": 0.1, "relative": True})
    assert view.row["verdict"] == "supported"
    assert view.needed == view.seeds_needed == ""


def test_zero_and_the_smallest_difference_on_both_sides_are_marked() -> None:
    (view,) = views({"direction": "lower", "smallest": 0.5})
    ((_, chart),) = view.charts
    below, above = chart.marks
    assert below < chart.reference < above
    assert above - chart.reference == pytest.approx(chart.reference - below, abs=0.2)
    assert chart.regions[0][1] == below  # the claim holds from there on
    (without,) = views({"direction": "lower", "smallest": 0.0})
    assert list(without.charts[0][1].marks) == []


def test_only_the_seeds_of_the_look_are_shown() -> None:
    claim = check(Claim, USUAL | {"id": "c", "direction": "lower", "smallest": 0.0})
    design = Design(looks=(Look(3, 0.01), Look(9, 0.04)))
    (view,) = claim_views(ledger_table([claim], runs(), design=design), runs(), [])
    assert [seed for seed, *_ in view.values] == SEEDS[:3]
    assert view.confidence == "99 %"


@pytest.mark.parametrize(
    ("smallest", "outcome", "answer"),
    [
        (0.5, "opposite", "No: the opposite was found."),  # +0.8 to +1.3
        (
            1.15,
            "wrong sign but perhaps negligible",
            "No: it is the opposite, but not surely by as much as matters.",
        ),
        (1.5, "no difference that matters", "No: there is no difference that matters."),
    ],
)
def test_the_opposite_is_found_only_where_it_matters(
    smallest: float, outcome: str, answer: str
) -> None:
    asked = {"direction": "lower", "smallest": smallest}
    claim = check(Claim, USUAL | asked | {"id": "c"})
    worse = [3.0, 5.2, 2.1, 8.9]
    table = pd.DataFrame(
        [("e", "manifold", seed, "test_nll", v) for seed, v in zip(SEEDS, worse, strict=True)],
        columns=MEASURES,
    )
    table = pd.concat([runs().query("method == 'baseline'"), table])
    (view,) = claim_views(ledger_table([claim], table), table, [])
    assert (view.row["outcome"], view.answer) == (outcome, answer)


def test_claims_are_counted_and_grouped_and_know_whose_twin_they_are() -> None:
    shown = views(
        {"direction": "lower", "smallest": 0.1, "relative": True, "twin": "c1"},
        {"direction": "higher", "smallest": 0.1, "relative": True, "source": "a video"},
        {"direction": "lower", "smallest": 0.0, "method": "dropout", "source": "a paper; a video"},
    )
    assert counted(shown) == {"supported": 1, "contradicted": 1, "inconclusive": 1}
    assert {source: len(group) for source, group in by_source(shown).items()} == {
        "a paper": 2,
        "a video": 1,
    }
    assert [view.twin_of for view in shown] == [[], ["c0"], []]


def test_claims_of_a_question_are_settled_or_open_with_those_that_held_first() -> None:
    held = {"direction": "lower", "smallest": 0.1, "relative": True}
    shown = views(
        {"direction": "lower", "smallest": 0.0, "method": "dropout", "family": "in-words"},
        {"direction": "higher", "smallest": 0.1, "relative": True, "family": "by_name"},
        held | {"family": "in-words"},
        {"direction": "lower", "smallest": 0.9, "relative": True, "family": "in-words"},
        held,
    )
    first, second, third = by_question(shown, {"in-words": "Is it so?"})
    assert [question.words for question in (first, second, third)] == [
        *("Is it so?", "By name", "Other claims"),
    ]
    assert [(view.row["id"], view.answer) for view in first.settled] == [
        ("c2", "Yes."),
        ("c3", "Only by less than matters."),
    ]
    assert [(view.row["id"], view.answer) for view in first.open] == [("c0", "")]
    assert [view.answer for view in second.settled] == ["No: the opposite was found."]
    assert not second.open


def test_a_claim_that_was_not_asked_says_why_and_is_counted() -> None:
    asked = check(Claim, USUAL | {"id": "a", "direction": "lower", "smallest": 0.1})
    unasked = asked.model_copy(update={"id": "u", "than": "gone"})
    ledger = ledger_table([unasked, asked], runs(), {"u": "gone was not run"})
    first, second = claim_views(ledger, runs(), [])
    assert (first.found, first.values, first.charts, first.needed) == (
        "gone was not run",
        [],
        [],
        "",
    )
    assert counted([second]) == {"supported": 0, "contradicted": 0, "inconclusive": 1}
    assert counted([first, second])["not asked"] == 1
    (question,) = by_question([first, second], {})
    assert question.open == [second, first]


def test_the_diamond_of_a_ratio_stands_amid_its_dots() -> None:
    """The effect is a mean of logarithms, so the axis is logarithmic too."""
    of = {"baseline": [1.0] * 4, "manifold": [0.25, 1.5, 3.0, 4.0], "dropout": [1.0] * 4}
    table = runs().assign(value=[value for values in of.values() for value in values])
    asked = {"id": "c", "direction": "higher", "smallest": 0.1, "relative": True}
    claim = check(Claim, USUAL | asked)
    (view,) = claim_views(ledger_table([claim], table), table, [])
    ((_, chart),) = view.charts
    places = [x for x, *_ in chart.dots]
    diamond, left, right, _ = chart.estimate
    assert diamond == pytest.approx(sum(places) / len(places), abs=0.2)
    assert diamond - left == pytest.approx(right - diamond, abs=0.2)
    ticks = {words: x for x, words in chart.ticks}
    assert ticks["0 %"] == chart.reference
    middle = (chart.reference + places[3]) / 2  # places[3] is four times the baseline's
    assert ticks["100 %"] == pytest.approx(middle, abs=0.2)
