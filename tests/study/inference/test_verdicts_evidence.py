"""The bootstrap and the sign-flip test against many resamples and full enumeration."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from study.inference.verdicts import Evidence, Region, evidence

ABOVE = Region(0.5, math.inf)


def test_bootstrap_interval_is_that_of_many_resamples():
    rng = np.random.default_rng(5)
    d = rng.normal(1.0, 2.0, size=40)
    found = evidence(d, ABOVE)
    means = rng.choice(d, size=(40_000, 40)).mean(axis=1)
    # Without skew, bias correction and acceleration change percentiles little.
    expected = np.quantile(means, [0.025, 0.975])
    assert (found.boot_low, found.boot_high) == pytest.approx(tuple(expected), abs=0.1)
    assert evidence(d, ABOVE) == found
    again = stats.bootstrap((d,), np.mean, rng=np.random.default_rng(0)).confidence_interval
    assert (found.boot_low, found.boot_high) == (again.low, again.high)
    wider = evidence(d, ABOVE, level=0.01)
    assert wider.boot_low < found.boot_low < found.boot_high < wider.boot_high


@pytest.mark.parametrize("region", [ABOVE, Region(-1.0, 1.0), Region(-math.inf, 0.3)])
def test_p_is_the_share_of_all_signs_that_are_as_far_from_the_hardest_bound(region):
    d = np.array([1.0, 2.0, 3.5, 0.2, 1.1, 0.7, -0.4, 2.2])

    def p(bound: float) -> float:
        flips = np.array(list(product([-1, 1], repeat=len(d)))) @ (d - bound)
        seen = abs((d - bound).sum())
        return float((abs(flips) >= seen - 1e-9).mean())

    expected = max(p(bound) for bound in region if math.isfinite(bound))
    assert evidence(d, region).p_permutation == pytest.approx(expected)


def test_p_of_many_seeds_is_near_students():
    d = np.random.default_rng(2).normal(0.9, 1.0, size=30)
    expected = stats.ttest_1samp(d, 0.5).pvalue
    assert evidence(d, ABOVE).p_permutation == pytest.approx(expected, abs=0.02)


def test_few_seeds_allow_neither_and_some_the_test_alone():
    d = np.linspace(0, 1, 15)
    assert math.isnan(evidence(d[:7], ABOVE).p_permutation)
    assert math.isnan(evidence(d[:14], ABOVE).boot_low)
    assert evidence(d[:8], ABOVE).p_permutation > 0
    assert evidence(d, ABOVE).boot_low > 0
    none = [math.isnan(x) for x in vars(evidence([0.3] * 20, ABOVE)).values()]
    assert none == [True] * len(vars(Evidence()))
