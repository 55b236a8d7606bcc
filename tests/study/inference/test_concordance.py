"""Kendall's W by its definition and scipy's Friedman test; performance profiles by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from study.inference.concordance import concordance, kendall_w, performance_profiles

RNG = np.random.default_rng(0)


def test_w_is_one_for_one_order_and_zero_for_none():
    assert kendall_w(np.array([[1.0, 2, 3], [10, 20, 30], [0, 5, 6]])) == pytest.approx(1)
    assert kendall_w(np.array([[1.0, 2, 3], [3, 2, 1]])) == pytest.approx(0)


@pytest.mark.parametrize("ties", [False, True])
def test_w_is_friedmans_statistic_over_its_largest_value(ties):
    values = RNG.normal(size=(9, 4)) + np.arange(4)
    values = np.round(values) if ties else values
    friedman = stats.friedmanchisquare(*values.T)
    assert kendall_w(values) == pytest.approx(friedman.statistic / (9 * 3))
    assert concordance(values).p == pytest.approx(friedman.pvalue)


def test_w_is_the_mean_rank_correlation_of_the_seeds():
    values = RNG.normal(size=(6, 5))
    r = np.corrcoef(stats.rankdata(values, axis=1))
    mean = r[np.triu_indices(6, 1)].mean()
    assert kendall_w(values) == pytest.approx((5 * mean + 1) / 6)


def test_too_little_has_no_w():
    assert math.isnan(kendall_w(np.ones((1, 3))))
    assert math.isnan(kendall_w(np.ones((4, 1))))
    assert math.isnan(kendall_w(np.ones((4, 3))))
    assert math.isnan(concordance(np.ones((4, 3))).p)


def test_interval_from_fifteen_seeds_on():
    values = RNG.normal(size=(20, 4)) + np.arange(4)
    found = concordance(values)
    assert 0 < found.low < found.w < found.high < 1
    assert concordance(values) == found
    assert math.isnan(concordance(values[:14]).low)


def test_profiles_fall_from_one():
    ranks = pd.DataFrame({"method": ["a", "b", "a", "b"], "value": [0.9, 0.5, 0.7, 0.6]})
    profiles = performance_profiles(ranks)
    assert list(profiles) == ["a", "b"]
    thresholds, shares = profiles["a"]
    assert thresholds.tolist() == [0.7, 0.9]
    assert shares.tolist() == [1.0, 0.5]
