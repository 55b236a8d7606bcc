"""The ledger of seeds that split one data set, and of seeds that come in looks."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from study.inference.claims import Claim, Look
from study.inference.design import Design
from study.inference.ledger import ledger_table
from study.inference.power import seeds_for_mean
from study.inference.verdicts import Estimate, Region
from study.paths import RunKey
from study.tables import LEDGER, measures_table
from tests.study.inference.known_runs import SHIFTS, claim, runs


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
