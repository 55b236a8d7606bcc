"""Verdicts of the ledger, on runs with known answers."""

import math

import numpy as np
import pytest
from scipy import stats

from study.inference.power import seeds_for_mean
from study.inference.verdicts import Estimate, Region
from study.paths import RunKey
from study.tables import measures_table
from tests.study.inference.known_runs import BASELINE, UNCLEAR, claim, decide, runs


class TestVerdicts:
    @pytest.mark.parametrize(
        ("changes", "verdict", "outcome"),
        [
            ({}, "supported", "as claimed"),
            ({"method": "down"}, "contradicted", "opposite"),
            ({"smallest": 5.0}, "contradicted", "right sign but negligible"),
            ({"method": "unclear", "smallest": 5.0}, "contradicted", "no difference that matters"),
            ({"direction": "lower"}, "contradicted", "opposite"),
            ({"method": "down", "direction": "lower"}, "supported", "as claimed"),
            ({"direction": "same", "smallest": 2.0}, "supported", "no difference that matters"),
            ({"direction": "same"}, "contradicted", "different"),
            ({"direction": "not_higher"}, "contradicted", "opposite"),
            ({"method": "down", "direction": "not_higher"}, "supported", "as claimed"),
            ({"method": "down", "direction": "not_lower"}, "contradicted", "opposite"),
            ({"method": "baseline", "than": 50, "direction": "lower"}, "supported", "as claimed"),
            ({"method": "unclear"}, "inconclusive", "open"),
        ],
    )
    def test_follow_the_rule(self, changes, verdict, outcome):
        unclear = np.add(BASELINE, UNCLEAR).tolist()
        found = decide(runs(unclear=unclear), claim(**changes)).loc["c"]
        assert (found["verdict"], found["outcome"], found["note"]) == (verdict, outcome, "")
        assert math.isnan(found["seeds_low"]) == (verdict != "inconclusive")

    def test_are_corrected_for_the_number_of_claims(self):
        some = np.add(BASELINE, [0.6, 1.0, 0.2, 0.3, 0.9]).tolist()
        one = claim("one", method="some", smallest=0)
        alone = decide(runs(some=some), one).loc["one"]
        assert (alone["verdict"], alone["p_holm"]) == ("supported", alone["p"])
        more = [claim(f"more{i}", method="some", smallest=3.0 + 3 * i) for i in range(2)]
        unclear = claim("unclear", method="unclear")
        table = runs(some=some, unclear=np.add(BASELINE, UNCLEAR).tolist())
        among = decide(table, one, *more, unclear)
        assert among.loc["one", "p_holm"] == pytest.approx(2 * alone["p"])
        d = np.array([0.6, 1.0, 0.2, 0.3, 0.9])
        p = [stats.ttest_1samp(d, bound).pvalue for bound in (3.0, 6.0)]
        assert among.loc["more1", "p_holm"] == pytest.approx(4 * p[1])
        assert among.loc["more0", "p_holm"] == pytest.approx(3 * p[0])

    def test_a_claim_that_only_the_correction_keeps_open_says_so(self):
        some = np.add(BASELINE, [0.6, 1.0, 0.2, 0.2, 0.9]).tolist()
        unclear = np.add(BASELINE, UNCLEAR).tolist()
        rest = [claim(f"u{i}", method="unclear", smallest=0.1 + i / 10) for i in range(3)]
        table = runs(some=some, unclear=unclear)
        found = decide(table, claim(method="some", smallest=0), *rest).loc["c"]
        assert found["p"] < 0.05 < found["p_holm"]
        assert found["verdict"] == "inconclusive"
        assert "as the only claim it would be supported" in found["note"]

    def test_claims_of_the_same_question_are_one_test(self):
        unclear = claim("unclear", method="unclear")
        table = runs(unclear=np.add(BASELINE, UNCLEAR).tolist())
        again = claim("again", sentence="In other words", source="somebody else")
        found = decide(table, claim(), again, unclear)
        assert found.loc["c", "p_holm"] == found.loc["again", "p_holm"]
        assert found.loc["c", "p_holm"] == pytest.approx(2 * found.loc["c", "p"])
        other = decide(table, claim(), claim("again", metric="square"), unclear)
        assert other.loc["c", "p_holm"] > found.loc["c", "p_holm"]

    def test_seeds_needed_use_the_level_that_the_settled_claims_leave(self):
        unclear = np.add(BASELINE, UNCLEAR).tolist()
        lone = claim("lone", method="unclear", smallest=0.9)
        table = runs(unclear=unclear)
        alone = decide(table, lone).loc["lone"]
        d = np.array(UNCLEAR)
        estimate = Estimate(5, d.mean(), d.std(ddof=1))
        expected = seeds_for_mean(estimate, Region(0.9, math.inf), 0.05)
        assert (alone["seeds_low"], alone["seeds_high"]) == expected
        # A settled claim changes nothing, nor does the same question in other words; one more
        # open claim halves the level.
        with_settled = decide(table, lone, claim()).loc["lone", "seeds_low"]
        assert with_settled == alone["seeds_low"]
        again = decide(table, lone, claim("again", method="unclear", smallest=0.9))
        assert again.loc["lone", "seeds_low"] == alone["seeds_low"]
        more_open = decide(table, lone, claim("open", method="unclear")).loc["lone", "seeds_low"]
        assert more_open > alone["seeds_low"]

    def test_five_seeds_cannot_say_whether_it_depends_on_the_seed(self):
        mixed = np.add(BASELINE, [1, -1, 1, 1, -1]).tolist()
        found = decide(runs(mixed=mixed), claim(method="mixed", direction="varies")).loc["c"]
        assert not found["decidable"]
        twelve = measures_table(
            {
                RunKey("e", method, seed): {"score": float(seed % 2 if method == "up" else 0.5)}
                for method in ("up", "baseline")
                for seed in range(12)
            }
        )
        found = decide(twelve, claim(direction="varies")).loc["c"]
        assert (found["verdict"], found["decidable"]) == ("supported", None)

    def test_one_seed_and_equal_differences_allow_no_test(self):
        single = measures_table({RunKey("e", m, 0): {"score": 1.0} for m in ("up", "baseline")})
        found = decide(single, claim()).loc["c"]
        assert (found["verdict"], found["n"], found["note"]) == (
            *("inconclusive", 1),
            "1 seed: no test",
        )
        assert math.isnan(found["seeds_low"])
        flat = decide(runs(flat=np.add(BASELINE, 2).tolist()), claim(method="flat")).loc["c"]
        assert flat["verdict"] == "inconclusive"
        assert flat["note"] == "the same difference on every seed: no test"

    def test_says_when_the_two_intervals_disagree(self):
        d = [0.0, 0.1, 0.3, 0.2, 1.0, 0.0, 0.1, -0.3, 0.2, 2.0, 0.0, -0.1, 0.3, -0.2, -0.1]
        table = measures_table(
            {
                RunKey("e", method, seed): {"score": value}
                for method, values in {"up": d, "baseline": [0.0] * 15}.items()
                for seed, value in enumerate(values)
            }
        )
        found = decide(table, claim(smallest=0)).loc["c"]
        assert found["low"] < 0 < found["boot_low"]
        assert not found["intervals_agree"]
        assert "by the bootstrap's alone it is supported" in found["note"]

    def test_says_when_the_permutation_test_disagrees(self):
        def note(*d: float) -> str:
            each = {"up": d, "baseline": [0.0] * 8}
            keys = {RunKey("e", m, s): {"score": each[m][s]} for m in each for s in range(8)}
            return str(decide(measures_table(keys), claim(smallest=0)).loc["c", "note"])

        said = note(0.1, 0.2, 0.15, 0.12, 0.11, 0.3, 0.2, 5.0)
        assert "t and permutation test disagree: p 0.24 and 0.0078" in said
        assert note(0.1, 0.2, 0.15, 0.12, 0.11, 0.3, 0.2, 0.5) == ""

    def test_says_when_the_scale_free_twin_disagrees(self):
        table = runs()
        free = claim("free", method="down")
        raw = claim("raw", twin="free")
        found = decide(table, raw, free).loc["raw"]
        assert not found["twin_agrees"]
        assert found["note"] == "unlike its scale-free twin free, which is contradicted"
        agreeing = decide(table, claim("raw", metric="square", twin="free"), claim("free"))
        assert agreeing.loc["raw", "twin_agrees"]
        assert "twin" not in agreeing.loc["raw", "note"]
        assert agreeing.loc["free", "twin_agrees"] is None
