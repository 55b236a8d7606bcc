"""How many seeds would settle a claim: other packages' numbers, closed forms and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq

from study.inference.power import (
    fewest_draws,
    fewest_seeds,
    seeds_for_mean,
    seeds_for_share,
    share_can_be_decided,
)
from study.inference.verdicts import Estimate, Region, decide, estimate_mean, estimate_share

ABOVE = Region(0.5, math.inf)
WITHIN = Region(-0.5, 0.5)
VARIES = Region(0.1, 0.9)
samples = st.lists(st.integers(-20, 20).map(float), min_size=2, max_size=12).filter(
    lambda d: len(set(d)) > 1
)
regions = st.sampled_from([ABOVE, Region(-math.inf, -0.5), WITHIN, Region(0.0, math.inf)])


class TestOfATrueEffect:
    @pytest.mark.parametrize(
        ("distance", "level", "expected"),
        [
            # statsmodels 0.14.6, TTestPower().solve_power(power=.8), rounded up
            (0.8, 0.05, 15),
            (1.2, 0.05, 8),
            (0.8, 0.05 / 12, 26),
            (0.3, 0.05, 90),
            (2.5, 0.01, 6),
        ],
    )
    def test_as_another_package_has_it(self, distance, level, expected):
        assert fewest_seeds(distance, level) == expected

    @pytest.mark.parametrize(("effect", "level"), [(5.0, 0.05 / 12), (12.0, 0.05), (0.0887, 0.05)])
    def test_power_is_that_of_a_normal_mean_over_the_spread_it_may_have(self, effect, level):
        n = int(fewest_seeds(effect, level))

        def power(n: int) -> float:
            critical = stats.t.isf(level / 2, n - 1)
            # the sample's standard deviation is that of a chi variable over sqrt(n - 1)
            return stats.chi(n - 1, scale=1 / math.sqrt(n - 1)).expect(
                lambda std: stats.norm.sf(critical * std - effect * math.sqrt(n))
            )

        assert power(n) >= 0.8
        assert n == 2 or power(n - 1) < 0.8

    def test_bounds(self):
        assert fewest_seeds(0.0, 0.05) == math.inf
        assert fewest_seeds(0.0887, 0.05) == 1000
        assert fewest_seeds(0.08865, 0.05) == math.inf
        assert fewest_seeds(1e12, 0.05) == 2

    def test_seeds_of_the_same_data_may_never_be_enough(self):
        # with ever more seeds the standard error stays above sqrt(.25) = .5 deviations
        assert fewest_seeds(1.0, 0.05) == 10
        assert fewest_seeds(1.0, 0.05, resampled=0.25) == math.inf
        assert 5 < fewest_seeds(2.0, 0.05, resampled=0.25) < 20

    @pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
    def test_that_many_draws_settle_a_share(self, share):
        n = int(fewest_draws(share, VARIES, 0.05))
        expected = "supported" if share == 0.5 else "contradicted"

        def settled(n: int) -> float:
            chances = stats.binom.pmf(np.arange(n + 1), n, share)
            verdicts = []
            for wins in range(n + 1):
                found = estimate_share(wins, 0, n, VARIES)
                verdicts.append(decide(found, VARIES, found.p))
            return sum(c for c, v in zip(chances, verdicts, strict=True) if v == expected)

        assert settled(n) >= 0.8
        assert settled(n - 1) < 0.8

    def test_as_many_seeds_as_are_looked_at_count(self):
        assert fewest_draws(0.3362, Region(0.295, math.inf), 0.05) == 1000
        assert fewest_draws(0.3258, Region(0.285, math.inf), 0.05) == math.inf  # 1,001

    def test_a_share_on_the_bound_is_never_settled(self):
        assert fewest_draws(0.1, VARIES, 0.05) == math.inf
        assert fewest_draws(1.0, Region(0.001, math.inf), 0.05) == 2


class TestRangeForAMean:
    def test_its_ends_are_what_t_of_four_seeds_allows(self):
        t = 2.0  # a standard deviation from the bound
        ends = [
            brentq(lambda shift, tail: stats.nct.sf(t, 3, shift) - tail, -10, 10, (tail,)) / 2
            for tail in (0.9, 0.1)
        ]
        expected = tuple(fewest_seeds(distance, 0.05) for distance in ends)
        assert seeds_for_mean(Estimate(4, 1.5, std=1.0), ABOVE, 0.05) == expected

    def test_they_are_more_than_there_are(self):
        assert seeds_for_mean(Estimate(5, 100.5, std=1.0), ABOVE, 0.05) == (6, 6)
        assert seeds_for_share(Estimate(20, 1.0), Region(0.01, math.inf), 0.05) == (21, 21)

    @pytest.mark.slow
    def test_has_the_true_need_in_it_four_times_in_five(self):
        rng = np.random.default_rng(3)
        need = fewest_seeds(1.0, 0.05)
        inside, shorter, longer = 0, 0, 0
        for d in rng.normal(1.5, 1.0, size=(300, 5)):
            # over all samples, also those that settle it: 2 where none more is needed
            estimate = estimate_mean(d, ABOVE)
            low, high = seeds_for_mean(estimate, ABOVE, 0.05)
            low = low if low > 6 else 2
            inside += low <= need <= high
            shorter += high < need
            longer += need < low
        assert 225 < inside < 260
        assert shorter < 45
        assert longer < 45

    def test_is_one_of_distance_whichever_side_the_bound_is(self):
        estimate = estimate_mean([1.0, 2.0, 3.5, 0.2, 1.1], ABOVE)
        mirrored = estimate_mean([-1.0, -2.0, -3.5, -0.2, -1.1], ABOVE)
        expected = seeds_for_mean(estimate, ABOVE, 0.05)
        assert expected[0] < expected[1]
        assert seeds_for_mean(mirrored, Region(-math.inf, -0.5), 0.05) == expected

    def test_two_bounds_take_more_and_so_do_resampled_data(self):
        estimate = Estimate(5, 0.1, std=0.3)
        one = seeds_for_mean(estimate, Region(-math.inf, 0.5), 0.05)
        two = seeds_for_mean(estimate, WITHIN, 0.05)
        assert two[0] >= one[0]
        assert two[1] > one[1]
        assert seeds_for_mean(estimate, WITHIN, 0.05, resampled=0.25)[1] == math.inf

    @given(samples, regions, st.integers(1, 30))
    def test_an_open_claim_needs_more_seeds_than_it_has(self, d, region, still_open):
        low, high = seeds_for_mean(estimate_mean(d, region), region, 0.05 / still_open)
        assert len(d) < low <= high

    def test_an_effect_on_the_bound_may_take_any_number(self):
        low, high = seeds_for_mean(Estimate(5, 0.5, std=1.0), ABOVE, 0.05)
        assert low < 50
        assert high == math.inf

    def test_without_a_spread_nothing_is_known(self):
        assert np.isnan(seeds_for_mean(Estimate(1, 0.7), ABOVE, 0.05)).all()


class TestRangeForAShare:
    def test_spans_what_the_probability_may_be(self):
        low, high = seeds_for_share(estimate_share(20, 0, 40, VARIES), VARIES, 0.05)
        assert low == 41
        assert high < 100
        # none of five: the probability may be the bound
        assert seeds_for_share(estimate_share(0, 0, 5, VARIES), VARIES, 0.05)[1] == math.inf

    def test_no_seed_is_no_range(self):
        assert np.isnan(seeds_for_share(estimate_share(0, 0, 0, VARIES), VARIES, 0.05)).all()


@pytest.mark.parametrize(("n", "can"), [(5, False), (12, True), (200, True)])
def test_five_seeds_cannot_decide_whether_it_depends_on_the_seed(n, can):
    # P(X >= 2) for 5 draws of .1 is .081: the strongest support; P(X = 0) is .59
    assert share_can_be_decided(n, VARIES, 0.05) == can


def test_all_four_seeds_won_can_decide():
    # .3^4 is .0081; three of four are won with the probability .084, none with .24
    assert share_can_be_decided(4, Region(0.3, math.inf), 0.05)
