"""The ledger on runs with known answers; numbers are worked out here by numpy and hand."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from study.inference.ledger import ledger_metrics, ledger_table, read_ledger
from study.tables import LEDGER, write_table
from tests.study.inference.known_runs import BASELINE, SHIFTS, UNCLEAR, claim, decide, runs


def test_a_ledger_says_what_each_family_would_give_by_itself():
    table = runs(more=np.add(BASELINE, UNCLEAR).tolist())
    alone = decide(table, claim("a"), claim("b", smallest=0.2))
    among = decide(
        table,
        claim("a", family="one"),
        claim("b", family="one", smallest=0.2),
        claim("x", family="two", method="more"),
        claim("y", method="more", smallest=0.2),
        claim("z", method="more", smallest=0.3),
    )
    for name in ("a", "b"):
        assert among.loc[name, "p_family"] == alone.loc[name, "p_holm"] > alone.loc[name, "p"]
        assert among.loc[name, "p_holm"] > among.loc[name, "p_family"]  # of five, not of two
    assert among.loc["x", "p_family"] == among.loc["x", "p"]  # a family of one
    assert among.loc["y", "p_family"] > among.loc["y", "p"]  # without a family, two of a family
    assert among["family"].tolist() == ["one", "one", "two", "", ""]


def test_the_verdict_is_the_stricter_of_both():
    some = np.add(BASELINE, [0.6, 1.0, 0.2, 0.3, 0.9]).tolist()
    table = runs(some=some, unclear=np.add(BASELINE, UNCLEAR).tolist())
    rest = [claim(f"u{i}", method="unclear", smallest=0.1 + i / 10, family="u") for i in range(4)]
    found = decide(table, claim("c", method="some", smallest=0, family="c"), *rest).loc["c"]
    assert (found["verdict"], found["verdict_family"]) == ("inconclusive", "supported")
    assert found["note"] == "corrected for its family alone it would be supported"


def test_claims_that_are_not_asked_change_no_other(tmp_path):
    table = runs(more=UNCLEAR)
    others = [claim("a", twin="x"), claim("b", smallest=0.2), claim("c", method="more")]
    unasked = [claim("x", method="gone"), claim("y", than="gone", twin="a", relative=True)]
    alone = ledger_table([claim("a"), *others[1:]], table).set_index("id")
    reasons = {"x": "gone was not run", "y": "gone was not run"}
    among = ledger_table([*unasked, *others], table, reasons)
    write_table(tmp_path / "claims.csv", among)
    assert ledger_metrics(read_ledger(tmp_path / "claims.csv"))["x"] == {
        "verdict": "not asked",
        "outcome": "open",
    }
    among = among.set_index("id")
    same = ["verdict", "p", "p_holm", "seeds_low", "note", "difference", "low"]
    pd.testing.assert_frame_equal(among.loc[["a", "b", "c"], same], alone[same])
    assert among.loc["a", "twin_agrees"] is None
    assert (among.loc["x":"y", "verdict"] == "not asked").all()
    assert among.loc["y", "note"] == "gone was not run"
    assert among.loc["y", "n"] == 0
    assert among.loc["x":"y", ["difference", "p", "p_holm", "seeds_low"]].isna().all(axis=None)


class TestNumbers:
    def test_differences_are_paired_by_seed(self):
        found = decide(runs(), claim()).loc["c"]
        d = np.array(SHIFTS["up"])
        sem = d.std(ddof=1) / math.sqrt(5)
        assert found["n"] == 5
        assert found["difference"] == pytest.approx(1.0)
        half_width = stats.t.ppf(0.975, 4) * sem
        assert (found["low"], found["high"]) == pytest.approx((1 - half_width, 1 + half_width))
        assert found["effect_size"] == pytest.approx(1 / d.std(ddof=1))
        assert found["p"] == pytest.approx(2 * stats.t.sf(0.9 / sem, 4))
        assert math.isnan(found["boot_low"])  # of too few seeds
        assert found["intervals_agree"] is None
        assert (found["bound_low"], found["bound_high"]) == (0.1, math.inf)

    def test_seeds_are_matched_by_number_and_not_by_place(self):
        table = runs()
        assert decide(table[::-1], claim()).loc["c", "low"] == pytest.approx(
            decide(table, claim()).loc["c", "low"]
        )

    def test_against_a_number(self):
        found = decide(runs(), claim(method="baseline", than=4)).loc["c"]
        expected = stats.ttest_1samp(BASELINE, 4).confidence_interval()
        assert found["difference"] == pytest.approx(0.2)
        assert found["low"] == pytest.approx(expected.low - 4)
        assert found["other"] == 4

    def test_against_another_metric_of_the_other(self):
        asked = {"method": "up", "than_metric": "square"}
        found = decide(runs(), claim(**asked)).loc["c"]
        up = np.add(BASELINE, SHIFTS["up"])
        expected = stats.ttest_rel(up, np.square(BASELINE)).confidence_interval()
        assert found["difference"] == pytest.approx(up.mean() - np.square(BASELINE).mean())
        assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
        assert (found["metric"], found["other_metric"]) == ("score", "square")
        both = decide(runs(), claim("a"), claim("b", **asked))
        assert both["p_holm"].min() == pytest.approx(2 * both["p"].min())  # not the same question

    def test_a_method_against_itself_by_another_metric(self):
        found = decide(runs(), claim(method="up", than="up", than_metric="square")).loc["c"]
        up = np.add(BASELINE, SHIFTS["up"])
        assert found["difference"] == pytest.approx((up - up**2).mean())

    def test_relative_differences_are_shares(self):
        other = [value * factor for value, factor in zip(BASELINE, [2, 2, 2, 8, 2], strict=True)]
        found = decide(runs(other=other), claim(method="other", relative=True)).loc["c"]
        # The geometric mean of the ratios is 2^(7/5).
        assert found["difference"] == pytest.approx(2**1.4 - 1)
        logs = np.log([2, 2, 2, 8, 2])
        low = logs.mean() - stats.t.ppf(0.975, 4) * logs.std(ddof=1) / math.sqrt(5)
        assert found["low"] == pytest.approx(math.exp(low) - 1)
        assert (found["bound_low"], found["bound_high"]) == pytest.approx((0.1, math.inf))
        lower = decide(runs(), claim(direction="lower", relative=True, smallest=0.25)).loc["c"]
        assert (lower["bound_low"], lower["bound_high"]) == pytest.approx((-1, -0.25))

    def test_a_share_of_seeds(self):
        mixed = np.add(BASELINE, [1, -1, 1, 1, 0]).tolist()
        found = decide(runs(mixed=mixed), claim(method="mixed", direction="varies")).loc["c"]
        assert (found["n"], found["difference"]) == (5, 0.7)
        assert found["low"] == pytest.approx(stats.beta.ppf(0.025, 3, 3))
        assert found["high"] == pytest.approx(stats.beta.ppf(0.975, 5, 1))
        assert (found["bound_low"], found["bound_high"]) == (0.1, 0.9)
        assert math.isnan(found["boot_low"])
        assert found["intervals_agree"] is None

    def test_values_that_cannot_be_used_are_left_out_and_counted(self):
        table = runs(odd=[3.0, math.inf, 10.5, math.nan, 5.0])
        found = decide(table, claim(method="odd", smallest=0)).loc["c"]
        assert (found["n"], found["difference"]) == (3, pytest.approx((2 + 1.5 + 1) / 3))
        assert "2 of 5 seeds left out" in found["note"]
        negative = runs(odd=[-2.0, 8.0, 9.5, 3.0, 0.0])
        found = decide(negative, claim(method="odd", relative=True)).loc["c"]
        assert found["n"] == 3
        assert "2 of 5 seeds left out" in found["note"]


class TestOutput:
    def some(self) -> pd.DataFrame:
        flat = np.add(BASELINE, 0.1).tolist()
        table = runs(unclear=np.add(BASELINE, UNCLEAR).tolist(), flat=flat)
        claims = [
            claim("yes", twin="maybe"),
            claim("maybe", method="unclear", smallest=0.02),
            claim("no", method="down"),
            claim("flat", method="flat", than=2.5),
        ]
        return ledger_table(claims, table)

    def test_json_holds_the_verdict_and_the_numbers_behind_it(self):
        found = ledger_metrics(self.some())
        assert json.loads(json.dumps(found, allow_nan=False)) == found
        assert list(found) == ["yes", "maybe", "no", "flat"]
        assert found["yes"].keys() == {"verdict", "outcome", "difference", "low", "high"}
        assert found["yes"]["difference"] == 1
        assert found["no"]["verdict"] == "contradicted"

    def test_survives_writing_and_reading(self, tmp_path: Path):
        ledger = self.some()
        write_table(tmp_path / "claims.csv", ledger)
        read = read_ledger(tmp_path / "claims.csv")
        assert list(read) == LEDGER
        for column in (
            "id",
            "verdict",
            "note",
            "twin",
            "other_metric",
            "direction",
            "relative",
            "n",
        ):
            assert read[column].tolist() == ledger[column].tolist()
        for column in ("difference", "low", "boot_high", "bound_high", "p_holm", "seeds_low"):
            np.testing.assert_allclose(read[column], ledger[column].astype(float), rtol=1e-5)

    def test_no_claims_are_an_empty_ledger(self, tmp_path: Path):
        ledger = ledger_table([], runs())
        assert list(ledger) == LEDGER
        write_table(tmp_path / "claims.csv", ledger)
        assert len(read_ledger(tmp_path / "claims.csv")) == 0
        assert ledger_metrics(ledger) == {}

    def test_the_same_runs_give_the_same_ledger(self):
        pd.testing.assert_frame_equal(self.some(), self.some())
