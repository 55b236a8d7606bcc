"""The ledger on runs with known answers; numbers are worked out here by numpy and hand."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from study.inference.claims import Claim
from study.inference.design import Design
from study.inference.ledger import ledger_metrics, ledger_table, read_ledger
from study.inference.looks import Look
from study.inference.power import seeds_for_mean
from study.inference.verdicts import Estimate, Region
from study.paths import RunKey
from study.tables import LEDGER, measures_table, write_table

BASELINE = [1.0, 5.0, 9.0, 2.0, 4.0]
SHIFTS = {"up": [1.1, 0.9, 1.0, 1.2, 0.8], "down": [-1.1, -0.9, -1.0, -1.2, -0.8]}
UNCLEAR = [1.0, -1.1, 0.6, -0.7, 0.3]


def claim(name: str = "c", **changes: Any) -> Claim:
    entry = {
        "id": name,
        "sentence": "It is so",
        "source": "somebody",
        "experiment": "e",
        "metric": "score",
        "method": "up",
        "than": "baseline",
        "direction": "higher",
        "smallest": 0.1,
    }
    return Claim(**(entry | changes))


def runs(**more: list[float]) -> pd.DataFrame:
    """Scores for seeds 0, 1, ... of the baseline, of methods `SHIFTS` from it, and of others."""
    shifted = {name: np.add(BASELINE, shifts).tolist() for name, shifts in SHIFTS.items()}
    methods = {"baseline": BASELINE, **shifted} | more
    return measures_table(
        {
            RunKey("e", method, seed): {"score": value, "square": value**2}
            for method, values in methods.items()
            for seed, value in enumerate(values)
        }
    )


def decide(table: pd.DataFrame, *claims: Claim) -> pd.DataFrame:
    return ledger_table(claims, table).set_index("id")


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


class TestResampledData:
    """Five seeds that split one data set, a test point for four training points."""

    DESIGN = Design(resampled={"e": 0.25})

    def test_variance_is_that_of_nadeau_and_bengio(self):
        found = ledger_table([claim()], runs(), design=self.DESIGN).iloc[0]
        d = np.array(SHIFTS["up"])
        error = d.std(ddof=1) * math.sqrt(1 / 5 + 1 / 4)
        assert found["p"] == pytest.approx(2 * stats.t.sf(0.9 / error, 4))
        half_width = stats.t.ppf(0.975, 4) * error
        assert (found["low"], found["high"]) == pytest.approx((1 - half_width, 1 + half_width))
        assert found["effect_size"] == pytest.approx(1 / d.std(ddof=1))
        assert found["resampled"] == 0.25

    def test_only_where_it_is_so_and_without_a_test_that_needs_independence(self):
        twenty = {"baseline": [0.0] * 20, "up": np.linspace(0, 2, 20).tolist()}
        table = measures_table(
            {
                RunKey(name, method, seed): {"score": value}
                for name in "ef"
                for method, values in twenty.items()
                for seed, value in enumerate(values)
            }
        )
        claims = [claim("e"), claim("f", experiment="f")]
        found = ledger_table(claims, table, design=self.DESIGN).set_index("id")
        assert found["resampled"].tolist() == [0.25, 0]
        assert found.loc["e", "p"] > found.loc["f", "p"]
        assert found.loc["e", ["p_permutation", "boot_low"]].isna().all()
        assert found.loc["f", ["p_permutation", "boot_low"]].notna().all()


class TestLooks:
    DESIGN = Design(looks=(Look(5, 0.01), Look(10, 0.04)))

    def table(self, n: int, experiment: str = "e", first: float = 1.0) -> pd.DataFrame:
        """Differences about ``first`` on five seeds, about 0 on the later ones; slow is .4."""
        wiggle = [0.1, -0.1, 0.0, 0.2, -0.2]
        up = [first + w for w in wiggle] + wiggle
        slow = [0.4 + 1.3 * w for w in [*wiggle, *wiggle]]
        of_all = {"baseline": [0.0] * 10, "up": up, "slow": slow}
        return measures_table(
            {
                RunKey(experiment, method, 100 - seed): {"score": values[seed]}
                for method, values in of_all.items()
                for seed in range(n)
            }
        )

    def decide(self, table: pd.DataFrame, *claims: Claim) -> pd.DataFrame:
        return ledger_table(claims, table, design=self.DESIGN).set_index("id")

    def test_what_a_look_decided_stays_so_from_the_seeds_of_that_look(self):
        five, ten = (self.decide(self.table(n), claim()).loc["c"] for n in (5, 10))
        assert (five["verdict"], five["n"], five["level"]) == ("supported", 5, 0.01)
        # later seeds, on which there is no difference, are not looked at
        same = [column for column in LEDGER if column != "twin_agrees"]
        pd.testing.assert_series_equal(five[same[1:]], ten[same[1:]], check_names=False)
        assert five["low"] == pytest.approx(
            stats.ttest_1samp([1.1, 0.9, 1.0, 1.2, 0.8], 0).confidence_interval(0.99).low
        )

    def test_what_is_open_is_looked_at_again_with_the_error_of_that_look(self):
        slow = claim(method="slow")
        five, ten = (self.decide(self.table(n), slow).loc["c"] for n in (5, 10))
        assert (five["verdict"], five["n"], five["level"]) == ("inconclusive", 5, 0.01)
        assert 0.01 < five["p"] < 0.04  # which is not enough at the first look
        estimate = Estimate(5, five["difference"], five["difference"] / five["effect_size"])
        at_the_last = seeds_for_mean(estimate, Region(0.1, math.inf), 0.04)
        assert (five["seeds_low"], five["seeds_high"]) == at_the_last
        assert (ten["verdict"], ten["n"], ten["level"]) == ("supported", 10, 0.04)
        assert ten["p"] < 0.04

    def test_between_two_looks_the_seeds_of_the_first_count(self):
        slow = claim(method="slow")
        five, eight = (self.decide(self.table(n), slow).loc["c"] for n in (5, 8))
        assert eight["n"] == 5
        assert eight["p"] == five["p"]

    def test_before_the_first_look_nothing_is_decided(self):
        found = self.decide(self.table(4), claim()).loc["c"]
        assert found["p"] < 0.01
        assert (found["verdict"], found["n"]) == ("inconclusive", 4)
        assert math.isnan(found["p_holm"])
        assert found["note"] == "4 seeds: the first look takes 5"

    def test_claims_of_experiments_with_fewer_seeds_count_as_open(self):
        table = pd.concat([self.table(10), self.table(4, "f")])
        slow = claim("slow", method="slow", smallest=0.25)
        waiting = [claim(f"w{i}", experiment="f", smallest=0.1 + i) for i in range(3)]
        alone = self.decide(table, slow).loc["slow"]
        among = self.decide(table, slow, *waiting).loc["slow"]
        assert alone["p_holm"] == alone["p"]
        assert among["p_holm"] == pytest.approx(4 * among["p"])


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
