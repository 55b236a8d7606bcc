"""Statistics against textbook formulas, worked examples, other packages' numbers and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from study.inference.verdicts import (
    Estimate,
    Region,
    decide,
    estimate_mean,
    estimate_share,
    outcome,
)

ABOVE = Region(0.5, math.inf)
BELOW = Region(-math.inf, -0.5)
WITHIN = Region(-0.5, 0.5)

samples = st.lists(st.integers(-20, 20).map(float), min_size=2, max_size=12).filter(
    lambda d: len(set(d)) > 1
)
regions = st.sampled_from([ABOVE, BELOW, WITHIN, Region(0.0, math.inf)])


def t_p_value(differences: list[float], bound: float) -> float:
    """Two-sided p-value of Student's one-sample t test, from its textbook formula."""
    d = np.array(differences)
    n = len(d)
    t = (d.sum() / n - bound) / math.sqrt(((d - d.mean()) ** 2).sum() / (n - 1) / n)
    return 2 * stats.t.sf(abs(t), n - 1)


@pytest.mark.parametrize(
    ("region", "low", "high", "said"),
    [
        (WITHIN, -0.4, 0.4, "supported"),
        (WITHIN, 0.4, 0.6, "inconclusive"),
        (WITHIN, -0.6, 0.6, "inconclusive"),
        (WITHIN, -0.5, 0.4, "inconclusive"),
        (WITHIN, -0.4, 0.5, "inconclusive"),
        (WITHIN, 0.5, 0.7, "inconclusive"),
        (WITHIN, -0.7, -0.5, "inconclusive"),
        (WITHIN, 0.6, 0.7, "contradicted"),
        (WITHIN, -0.7, -0.6, "contradicted"),
        (ABOVE, 0.6, 9.0, "supported"),
        (ABOVE, -9.0, 0.4, "contradicted"),
        (BELOW, -9.0, -0.6, "supported"),
        (BELOW, -0.4, 9.0, "contradicted"),
        (BELOW, math.nan, math.nan, "inconclusive"),
    ],
)
def test_place_of_an_interval(region, low, high, said):
    assert region.place(low, high) == said


class TestEstimateMean:
    def test_interval_by_hand(self):
        # Mean 2, standard deviation 1, n = 3; the t quantile for 2 degrees of freedom is 4.302653.
        found = estimate_mean([1.0, 2.0, 3.0], ABOVE)
        half_width = 4.302653 / math.sqrt(3)
        assert (found.n, found.effect, found.std, found.effect_size) == (3, 2.0, 1.0, 2.0)
        assert (found.low, found.high) == pytest.approx((2 - half_width, 2 + half_width), rel=1e-6)

    @given(samples, regions)
    def test_p_is_that_of_the_textbook_t_test_against_the_hardest_bound(self, d, region):
        finite = [bound for bound in region if math.isfinite(bound)]
        expected = max(t_p_value(d, bound) for bound in finite)
        assert estimate_mean(d, region).p == pytest.approx(expected, rel=1e-6, abs=1e-12)

    @given(samples, regions)
    def test_p_is_below_5_percent_when_the_interval_keeps_to_one_side(self, d, region):
        found = estimate_mean(d, region)
        one_side = region.place(found.low, found.high) != "inconclusive"
        assert one_side == (found.p < 0.05)

    @given(samples, regions)
    def test_interval_and_p_are_at_the_level_asked_for(self, d, region):
        found = estimate_mean(d, region, level=0.01)
        expected = stats.ttest_1samp(d, 0).confidence_interval(0.99)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
        one_side = region.place(found.low, found.high) != "inconclusive"
        assert one_side == (found.p < 0.01)

    def test_resampled_data_widen_the_interval(self):
        # s = 1, n = 3: the variance of the mean is 1/3 + 1/4
        found = estimate_mean([1.0, 2.0, 3.0], ABOVE, resampled=0.25)
        half_width = 4.302653 * math.sqrt(1 / 3 + 1 / 4)
        assert (found.low, found.high) == pytest.approx((2 - half_width, 2 + half_width), rel=1e-6)
        assert found.p == pytest.approx(2 * stats.t.sf(1.5 / math.sqrt(1 / 3 + 1 / 4), 2))
        assert found.effect_size == 2.0

    @pytest.mark.parametrize("d", [[], [0.7], [0.0, 0.0], [0.25, 0.25, 0.25], [0.3, 0.1 + 0.2]])
    def test_without_spread_there_is_no_test(self, d):
        found = estimate_mean(d, ABOVE)
        assert found.n == len(d)
        assert found.effect == pytest.approx(d[0]) if d else math.isnan(found.effect)
        numbers = [found.std, found.low, found.high, found.p, found.effect_size]
        assert all(math.isnan(number) for number in numbers)
        assert decide(found, ABOVE, found.p) == "inconclusive"

    @pytest.mark.parametrize("unit", [1e-12, 1e12])
    def test_small_and_large_differences_vary_alike(self, unit):
        found = estimate_mean([2 * unit, 6 * unit, 10 * unit], ABOVE)
        assert (found.effect, found.std) == pytest.approx((6 * unit, 4 * unit))
        assert found.effect_size == pytest.approx(1.5)

    def test_two_seeds_are_enough_for_an_interval(self):
        found = estimate_mean([1.0, 2.0], ABOVE)
        half_width = 12.7062 * math.sqrt(0.5) / math.sqrt(2)
        assert found.low == pytest.approx(1.5 - half_width, rel=1e-5)


class TestEstimateShare:
    def test_interval_is_that_of_clopper_and_pearson(self):
        found = estimate_share(3, 0, 5, Region(0.1, 0.9))
        low, high = stats.beta.ppf(0.025, 3, 3), stats.beta.ppf(0.975, 4, 2)
        assert (found.n, found.effect) == (5, 0.6)
        assert (found.low, found.high) == pytest.approx((low, high))
        # P(X <= 3) for 5 draws of 0.9 is 1 - 0.9^5 - 5 * 0.1 * 0.9^4 = 0.08146.
        assert found.p == pytest.approx(2 * 0.08146)

    def test_all_wins_and_none(self):
        won, lost = (estimate_share(wins, 0, 4, Region(0.5, 1.0)) for wins in (4, 0))
        assert (won.effect, won.high, lost.effect, lost.low) == (1.0, 1.0, 0.0, 0.0)
        assert won.low == pytest.approx(0.025**0.25)

    def test_a_share_on_the_bound_is_no_surprise(self):
        assert estimate_share(5, 0, 10, Region(0.5, 1.0)).p == 1

    def test_a_tie_is_half_a_win_and_widens_the_interval(self):
        found = estimate_share(2, 1, 5, Region(0.1, 0.9))
        assert found.effect == 0.5
        assert found.low == estimate_share(2, 0, 5, Region(0.1, 0.9)).low
        assert found.high == estimate_share(3, 0, 5, Region(0.1, 0.9)).high

    def test_no_seed_is_no_estimate(self):
        found = estimate_share(0, 0, 0, Region(0.1, 0.9))
        assert found.n == 0
        assert math.isnan(found.effect)
        assert math.isnan(found.p)


class TestDecide:
    @pytest.mark.parametrize(
        ("effect", "region", "verdict"),
        [
            (0.6, ABOVE, "supported"),
            (0.4, ABOVE, "contradicted"),
            (-2.0, ABOVE, "contradicted"),
            (-0.6, BELOW, "supported"),
            (-0.4, BELOW, "contradicted"),
            (0.1, WITHIN, "supported"),
            (0.6, WITHIN, "contradicted"),
            (-0.6, WITHIN, "contradicted"),
            (0.5, WITHIN, "contradicted"),
            (-0.5, WITHIN, "contradicted"),
        ],
    )
    def test_a_clear_effect_is_judged_by_its_side(self, effect, region, verdict):
        assert decide(Estimate(5, effect), region, 0.049) == verdict
        assert decide(Estimate(5, effect), region, 0.05) == "inconclusive"
        assert decide(Estimate(5, effect), region, math.nan) == "inconclusive"

    @given(samples, regions)
    def test_a_verdict_never_goes_against_the_interval(self, d, region):
        found = estimate_mean(d, region)
        verdict = decide(found, region, found.p)
        assert verdict in ("inconclusive", region.place(found.low, found.high))


MATTERS = Region(-0.5, 0.5)
YES, NO = "supported", "contradicted"


@pytest.mark.parametrize(
    ("direction", "low", "high", "verdict", "found"),
    [
        ("higher", 0.6, 0.9, YES, "as claimed"),
        ("higher", 0.1, 0.4, NO, "right sign but negligible"),
        ("higher", -0.1, 0.4, NO, "no difference that matters"),
        ("higher", -0.4, 0.0, NO, "no difference that matters"),
        ("higher", 0.0, 0.4, NO, "no difference that matters"),
        ("higher", -0.7, 0.0, NO, "smaller than claimed or opposite"),
        ("higher", -0.7, 0.4, NO, "smaller than claimed or opposite"),
        ("higher", -0.5, 0.4, NO, "smaller than claimed or opposite"),
        ("higher", -0.4, -0.1, NO, "no difference that matters"),
        ("higher", -0.5, -0.1, NO, "wrong sign but perhaps negligible"),
        ("higher", -0.7, -0.1, NO, "wrong sign but perhaps negligible"),
        ("higher", -0.7, -0.3, NO, "opposite"),
        ("higher", -0.9, -0.7, NO, "opposite"),
        ("higher", -0.7, 0.9, "inconclusive", "open"),
        ("lower", -0.9, -0.6, YES, "as claimed"),
        ("lower", -0.4, -0.1, NO, "right sign but negligible"),
        ("lower", -0.4, 0.1, NO, "no difference that matters"),
        ("lower", -0.4, 0.7, NO, "smaller than claimed or opposite"),
        ("lower", 0.1, 0.4, NO, "no difference that matters"),
        ("lower", 0.1, 0.7, NO, "wrong sign but perhaps negligible"),
        ("lower", 0.4, 0.7, NO, "opposite"),
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
