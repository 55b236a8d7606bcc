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
    holm,
    seeds_for_mean,
    seeds_for_share,
)

ABOVE = Region(0.5, math.inf)
BELOW = Region(-math.inf, -0.5)
WITHIN = Region(-0.5, 0.5)
DIFFERENCES = [1.0, 2.0, 3.5, 0.2, 1.1]

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

    def test_bootstrap_interval_is_that_of_many_resamples(self):
        rng = np.random.default_rng(5)
        d = rng.normal(1.0, 2.0, size=40)
        found = estimate_mean(d, ABOVE)
        means = rng.choice(d, size=(40_000, 40)).mean(axis=1)
        # Without skew, bias correction and acceleration change percentiles little.
        expected = np.quantile(means, [0.025, 0.975])
        assert (found.boot_low, found.boot_high) == pytest.approx(tuple(expected), abs=0.1)
        assert estimate_mean(d, ABOVE) == found
        again = stats.bootstrap((d,), np.mean, rng=np.random.default_rng(0)).confidence_interval
        assert (found.boot_low, found.boot_high) == (again.low, again.high)

    @pytest.mark.parametrize("d", [[], [0.7], [0.0, 0.0], [0.25, 0.25, 0.25], [0.3, 0.1 + 0.2]])
    def test_without_spread_there_is_no_test(self, d):
        found = estimate_mean(d, ABOVE)
        assert found.n == len(d)
        assert found.effect == pytest.approx(d[0]) if d else math.isnan(found.effect)
        numbers = [found.std, found.low, found.high, found.boot_low, found.p, found.effect_size]
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
        assert (found.boot_low, found.boot_high) == (1.0, 2.0)


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
        assert math.isnan(seeds_for_share(found, Region(0.1, 0.9), 0.05))


class TestHolm:
    def test_worked_example(self):
        # Sorted .001 .010 .015 .030 .040 times 5 4 3 2 1: .005 .040 .045 .060 .040, then none
        # below the one before it.
        found = holm([0.03, 0.001, 0.04, 0.015, 0.01])
        assert found == pytest.approx([0.06, 0.005, 0.06, 0.045, 0.04])

    def test_as_another_package_has_it(self):
        # statsmodels 0.14.6, multipletests(..., method="holm")
        found = holm([0.01, 0.04, 0.03, 0.005, 0.2, 0.0009])
        assert found == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.2, 0.0054])

    def test_what_was_not_tested_does_not_count(self):
        assert holm([0.04, math.nan, 0.01]) == pytest.approx([0.04, math.nan, 0.02], nan_ok=True)
        assert len(holm([])) == 0

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
    def test_rejects_what_the_sequential_procedure_rejects(self, p_values):
        rejected = set()
        for step, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
            if p_values[index] * (len(p_values) - step) >= 0.05:
                break
            rejected.add(index)
        assert {i for i, p in enumerate(holm(p_values)) if p < 0.05} == rejected
        assert max(holm(p_values)) <= 1


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
        verdict = decide(found, region, holm([found.p, 0.2, 0.01])[0])
        assert verdict in ("inconclusive", region.place(found.low, found.high))

    def test_any_wrong_verdict_of_many_is_rare(self):
        # Twenty true effects that lie exactly on the bound: every certain verdict is wrong.
        rng = np.random.default_rng(0)
        d = rng.normal(0.5, 1.0, size=(2000, 20, 5))
        p = np.array([holm(family) for family in stats.ttest_1samp(d, 0.5, axis=-1).pvalue])
        families = (p < 0.05).any(axis=1).mean()
        assert 0.03 < families < 0.065


class TestSeedsForMean:
    @pytest.mark.parametrize(
        ("effect", "level", "expected"),
        [
            # statsmodels 0.14.6, TTestPower().solve_power(power=.8), rounded up
            (0.8, 0.05, 15),
            (1.2, 0.05, 8),
            (0.8, 0.05 / 12, 26),
            (0.3, 0.05, 90),
            (2.5, 0.01, 6),
        ],
    )
    def test_as_another_package_has_it(self, effect, level, expected):
        estimate = Estimate(5, 3 * effect, std=3.0)
        assert seeds_for_mean(estimate, Region(0.0, math.inf), level) == expected
        mirrored = Estimate(5, -3 * effect, std=3.0)
        assert seeds_for_mean(mirrored, Region(-math.inf, 0.0), level) == expected

    @pytest.mark.parametrize(("effect", "level"), [(5.0, 0.05 / 12), (12.0, 0.05), (0.0887, 0.05)])
    def test_power_is_that_of_a_normal_mean_over_the_spread_it_may_have(self, effect, level):
        region = Region(0.0, math.inf)
        n = int(seeds_for_mean(Estimate(5, effect, std=1.0), region, level))

        def power(n: int) -> float:
            critical = stats.t.isf(level / 2, n - 1)
            # the sample's standard deviation is that of a chi variable over sqrt(n - 1)
            return stats.chi(n - 1, scale=1 / math.sqrt(n - 1)).expect(
                lambda std: stats.norm.sf(critical * std - effect * math.sqrt(n))
            )

        assert power(n) >= 0.8
        assert n == 2 or power(n - 1) < 0.8

    @pytest.mark.parametrize("region", [ABOVE, WITHIN, Region(-1.1, 1.1)])
    def test_that_many_seeds_settle_four_studies_of_five(self, region):
        estimate = Estimate(5, 1.0, std=0.7) if region is not WITHIN else Estimate(5, 0.1, std=0.5)
        n = int(seeds_for_mean(estimate, region, 0.05))
        rng = np.random.default_rng(1)

        def settled(n: int) -> float:
            d = rng.normal(estimate.effect, estimate.std, size=(20_000, n))
            p = np.max([stats.ttest_1samp(d, b, axis=1).pvalue for b in region.bounds], axis=0)
            inside = (region.low < d.mean(axis=1)) & (d.mean(axis=1) < region.high)
            return float(((p < 0.05) & inside).mean())

        assert settled(n) > 0.79
        assert settled(n - 1) < 0.81

    @given(samples, regions, st.integers(1, 30))
    def test_a_claim_that_is_open_needs_more_seeds_than_it_has(self, d, region, still_open):
        found, level = estimate_mean(d, region), 0.05 / still_open
        if found.p > level:
            assert seeds_for_mean(found, region, level) > len(d)

    def test_bounds(self):
        assert seeds_for_mean(Estimate(5, 0.5, std=1.0), ABOVE, 0.05) == math.inf
        assert seeds_for_mean(Estimate(5, 0.51, std=1.0), ABOVE, 0.05) == math.inf
        assert seeds_for_mean(Estimate(5, 0.0887, std=1.0), Region(0.0, math.inf), 0.05) == 1000
        assert (
            seeds_for_mean(Estimate(5, 0.08865, std=1.0), Region(0.0, math.inf), 0.05) == math.inf
        )
        assert seeds_for_mean(Estimate(5, 1e6, std=1e-6), ABOVE, 0.05) == 2
        assert math.isnan(seeds_for_mean(Estimate(1, 0.7), ABOVE, 0.05))


class TestSeedsForShare:
    @pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
    def test_that_many_seeds_settle_it(self, share):
        region = Region(0.1, 0.9)
        n = int(seeds_for_share(Estimate(5, share), region, 0.05))
        expected = "supported" if share == 0.5 else "contradicted"

        def settled(n: int) -> float:
            chances = stats.binom.pmf(np.arange(n + 1), n, share)
            verdicts = []
            for wins in range(n + 1):
                found = estimate_share(wins, 0, n, region)
                verdicts.append(decide(found, region, found.p))
            return sum(c for c, v in zip(chances, verdicts, strict=True) if v == expected)

        assert settled(n) >= 0.8
        assert settled(n - 1) < 0.8

    def test_one_seed_is_never_enough(self):
        assert seeds_for_share(Estimate(5, 1.0), Region(0.001, math.inf), 0.05) == 2

    def test_a_share_on_the_bound_is_never_settled(self):
        assert seeds_for_share(Estimate(10, 0.1), Region(0.1, 0.9), 0.05) == math.inf
