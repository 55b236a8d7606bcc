"""Two revisions side by side: the numbers by hand, the words, and that the page escapes all."""

import math
import re
from typing import Any

import pandas as pd
import pytest

from study.paths import RunKey
from study.report.comparison import Change, changes, glance, verdicts
from study.report.page import render_page
from study.revisions import Revision
from study.tables import measures_table

A, B = [1.0, 2.0, 3.0], [1.3, 1.8, 3.1]


def runs(**methods: list[float] | dict[int, float]) -> pd.DataFrame:
    """Test NLL of methods of one experiment: for seeds 0, 1, ..., or for the seeds named."""
    by_seed = {
        method: values if isinstance(values, dict) else dict(enumerate(values))
        for method, values in methods.items()
    }
    return measures_table(
        {
            RunKey("spirals", method, seed): {"test_nll": value}
            for method, values in by_seed.items()
            for seed, value in values.items()
        }
    )


def means(**methods: tuple[float | None, float | None]) -> dict[str, dict[str, Any]]:
    return {
        f"spirals.{method}.test_nll": {"old": old, "new": new}
        for method, (old, new) in methods.items()
    }


def one(a: list[float] | dict[int, float], b: list[float] | dict[int, float]) -> Change:
    (change,) = changes(means(m=(1.5, 1.7)), runs(m=a), runs(m=b))
    return change


def test_pairs_by_seed_with_a_t_interval() -> None:
    change = one(A, B)
    assert (change.experiment, change.method, change.metric) == ("spirals", "m", "test_nll")
    assert (change.a, change.b) == (1.5, 1.7)
    # .3, -.2, .1: mean .0667, deviation .2517; 4.3027 is the 97.5 % t quantile for two degrees.
    assert change.difference == pytest.approx(0.2 / 3)
    half_width = 4.3027 * 0.251661 / math.sqrt(3)
    assert change.low == pytest.approx(0.2 / 3 - half_width, abs=1e-4)
    assert change.high == pytest.approx(0.2 / 3 + half_width, abs=1e-4)
    assert (change.finding, change.seeds) == ("not clear", "3")


def test_only_seeds_in_both_are_compared() -> None:
    in_order = one({0: 9.0, 1: 1.0, 2: 2.0, 5: 3.0}, {5: 3.1, 2: 1.8, 1: 1.3, 7: -50.0})
    assert in_order.difference == pytest.approx(0.2 / 3)
    assert (in_order.low, in_order.high) == pytest.approx((one(A, B).low, one(A, B).high))
    assert in_order.seeds == "3 of 4 and 4"


def test_value_that_is_not_finite_is_no_value() -> None:
    change = one([1.0, 2.0, math.inf], [1.5, math.nan, 3.0])
    assert (change.n_a, change.n_b, change.n) == (2, 2, 1)
    assert change.difference == 0.5


@pytest.mark.parametrize(
    ("a", "b", "finding"),
    [
        (A, [0.5, 1.4, 2.6], "lower"),
        (A, [1.5, 2.6, 3.4], "higher"),
        (A, A, "same"),
        (A, [1.0, 2.0], "same"),
        (A, [1.1, 2.1, 3.1], "no interval"),
        ([1.0], [2.0], "no interval"),
        ({0: 1.0}, {1: 1.0}, "no seed in both"),
    ],
)
def test_says_in_words_what_happened(a: Any, b: Any, finding: str) -> None:
    change = one(a, b)
    assert change.finding == finding
    assert change.same == (finding == "same")


def test_what_one_revision_lacks_is_named() -> None:
    found = changes(means(new=(None, 1.0), old=(1.0, None)), runs(old=A), runs(new=A))
    assert [(c.method, c.finding) for c in found] == [("new", "only in B"), ("old", "only in A")]
    assert math.isnan(found[0].a)
    assert math.isnan(found[1].b)


def test_order_is_that_of_the_runs() -> None:
    table = runs(zebra=A, ant=A, bee=A)
    found = changes(means(ant=(1, 1), bee=(1, 1), zebra=(1, 1)), table, table)
    assert [change.method for change in found] == ["zebra", "ant", "bee"]


LEDGER: dict[str, dict[str, Any]] = {
    "S2-b.verdict": {"old": "supported", "new": "contradicted"},
    "S2-b.difference": {"old": 0.5, "new": -0.5},
    "S2-b.low": {"old": 0.25, "new": -0.75},
    "S2-b.high": {"old": 0.75, "new": -0.25},
    "S1-a.verdict": {"old": "inconclusive", "new": "inconclusive"},
    "S3-new.verdict": {"old": None, "new": "supported"},
}


def test_verdicts_keep_the_order_of_the_ledger() -> None:
    found = verdicts(LEDGER, {"S2-b": "B is so", "S1-a": "A is so", "gone": "not judged"})
    assert [(v.id, v.sentence, v.a, v.b, v.changed) for v in found] == [
        ("S2-b", "B is so", "supported", "contradicted", True),
        ("S1-a", "A is so", "inconclusive", "inconclusive", False),
        ("S3-new", "S3-new", None, "supported", True),
    ]
    assert found[0].evidence[0] == {"difference": 0.5, "low": 0.25, "high": 0.75}
    assert found[0].evidence[1] == {"difference": -0.5, "low": -0.75, "high": -0.25}


def test_glance_counts() -> None:
    table_a = runs(same=A, lower=A, unclear=A)
    table_b = runs(same=A, lower=[0.5, 1.4, 2.6], unclear=B)
    pair = (1.0, 1.0)
    found = changes(means(same=pair, lower=pair, unclear=pair), table_a, table_b)
    text = " ".join(glance(found, verdicts(LEDGER, {}), {"mixup.alpha": {}}, []))
    assert "1 parameter and 0 files of code" in text
    assert "The same for every seed that both have: 1 of 3 numbers." in text
    assert "Differences with an interval: 2. Intervals that exclude zero: 1," in text
    assert "chance alone would make about 0.1." in text
    assert "Verdicts that changed: 2 of 3." in text


def page(**content: Any) -> str:
    empty = {
        "a": Revision("HEAD"),
        "b": Revision("workspace"),
        "out_of_date": [],
        "changes": [],
        "verdicts": [],
        "params": {},
        "code": [],
        "figures": {},
        "glance": [],
        "command": "",
    }
    return render_page("compare.html.j2", **empty | content)


def test_page_without_anything_says_so() -> None:
    text = page()
    for said in ("has a claims ledger", "All params are the same", "The code is the same"):
        assert said in text
    assert "Neither revision has a number" in text
    assert "out of date" not in text


def test_page_shows_numbers_exactly_for_programs() -> None:
    change = one(A, B)
    text = page(changes=[change])
    shown = re.findall(r'data-value="([^"]*)"(?: data-high="([^"]*)")?', text)
    assert shown == [
        ("1.5", ""),
        ("1.7", ""),
        (repr(change.difference), ""),
        (repr(change.low), repr(change.high)),
        ("3", ""),
    ]


def test_page_shows_figures_and_absent_ones() -> None:
    text = page(figures={"curves": ("data:image/png;base64,AA", "")})
    assert '<img src="data:image/png;base64,AA"' in text
    assert "workspace has no such figure" in text


def test_page_escapes_whatever_it_is_given() -> None:
    evil = "<script>alert(1)</script>"
    text = page(
        a=Revision(evil, "0" * 40, evil),
        b=Revision(evil, None, evil),
        out_of_date=[evil],
        changes=[Change(evil, evil, evil, 1.0, 2.0, 1, 1, 1)],
        verdicts=verdicts(
            {f"{evil}.verdict": {"old": evil, "new": evil}}, {evil: f"{evil} & so on"}
        ),
        params={evil: {"old": evil, "new": [evil]}},
        code=[evil],
        figures={evil: ('" onerror="alert(1)', "")},
        glance=[evil],
        command=evil,
    )
    assert "<script>alert" not in text
    assert '" onerror="' not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 15
