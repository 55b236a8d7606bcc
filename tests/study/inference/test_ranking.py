"""Whether seeds agree on the ranking of the methods: ranks, wins, Kendall's W."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from study.inference.ranking import (
    concordance,
    count_wins,
    kendall_w,
    performance_profiles,
    ranks_table,
    wins_table,
)
from study.paths import RunKey
from study.tables import measures_table


def runs(experiment: str = "e", **accuracies: list[float]) -> pd.DataFrame:
    """Test accuracies of methods of one experiment, for seeds 7, 6, 5, ...; another measure too."""
    return measures_table(
        {
            RunKey(experiment, method, 7 - place): {"other": -accuracy, "test_accuracy": accuracy}
            for method, of_method in accuracies.items()
            for place, accuracy in enumerate(of_method)
        }
    )


def test_ranks_each_seed_from_the_highest():
    table = ranks_table(runs(zoo=[0.9, 0.5], ant=[0.7, 0.8], cat=[0.8, 0.5]))
    assert table.columns.tolist() == ["experiment", "seed", "method", "value", "rank"]
    assert table.drop(columns="experiment").to_numpy().tolist() == [
        [7, "zoo", 0.9, 1.0],
        [7, "ant", 0.7, 3.0],
        [7, "cat", 0.8, 2.0],
        [6, "zoo", 0.5, 2.5],
        [6, "ant", 0.8, 1.0],
        [6, "cat", 0.5, 2.5],
    ]
    assert set(table["experiment"]) == {"e"}


def test_ranks_by_another_measure():
    table = ranks_table(runs(a=[0.9], b=[0.7]), "other")
    assert table["rank"].tolist() == [2.0, 1.0]


def test_ranks_of_experiments_come_in_their_order_with_numbers_as_numbers():
    table = ranks_table(pd.concat([runs("z", a=[0.2, 0.1]), runs("b", a=[0.3])]))
    assert table["experiment"].tolist() == ["z", "z", "b"]
    assert table.index.tolist() == [0, 1, 2]
    assert table.dtypes[["seed", "value", "rank"]].astype(str).tolist() == [
        *("int64", "float64", "float64")
    ]


def test_counts_each_pair_once_in_order():
    both = pd.concat(
        [
            runs("z", b=[0.3], a=[0.2]),
            runs(zoo=[0.9, 0.5, 0.6], ant=[0.7, 0.8, 0.6], cat=[0.1, 0.1, 0.1]),
            runs("f", a=[0.2], b=[0.3]),
        ]
    )
    table = wins_table(both)
    counted = table[["experiment", "method", "other", "n", "wins", "ties", "losses"]]
    assert counted.to_numpy().tolist() == [
        ["z", "b", "a", 1, 1, 0, 0],
        ["e", "zoo", "ant", 3, 1, 1, 1],
        ["e", "zoo", "cat", 3, 3, 0, 0],
        ["e", "ant", "cat", 3, 3, 0, 0],
        ["f", "a", "b", 1, 0, 0, 1],
    ]
    assert table["probability"].tolist() == [1.0, 0.5, 1.0, 1.0, 0.0]
    assert table.loc[2, "low"] == pytest.approx(stats.beta.ppf(0.025, 3, 1))
    assert table.loc[4, "high"] == pytest.approx(stats.beta.ppf(0.975, 1, 1))


def test_a_value_that_is_not_a_number_counts_on_neither_side():
    table = wins_table(runs(a=[0.9, math.nan, 0.4], b=[0.7, 0.8, math.inf]))
    assert table[["n", "wins", "ties", "losses"]].to_numpy().tolist() == [[1, 1, 0, 0]]
    ranks = ranks_table(runs(a=[0.9, math.nan], b=[0.7, 0.8]))
    assert ranks[["seed", "method", "rank"]].to_numpy().tolist() == [
        [7, "a", 1.0],
        [7, "b", 2.0],
        [6, "b", 1.0],
    ]


def test_wins_of_one_are_losses_of_the_other():
    a, b = pd.Series([1.0, 2.0, 3.0, math.nan]), pd.Series([1.0, 3.0, 2.0, 0.0])
    assert count_wins(a, b) == (1, 1, 1)
    assert count_wins(a + 0.5, b) == (2, 0, 1)


def test_no_accuracy_gives_empty_tables():
    nothing = measures_table({RunKey("e", "a", 0): {"other": 1.0}})
    assert ranks_table(nothing).columns.tolist() == ranks_table(runs(a=[1.0])).columns.tolist()
    assert len(ranks_table(nothing)) == len(wins_table(nothing)) == 0


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


def test_three_methods_and_two_seeds_are_enough_for_friedmans_test():
    values = np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]])
    assert concordance(values).p == pytest.approx(stats.friedmanchisquare(*values.T).pvalue)


def test_two_methods_have_a_w_and_no_friedman_test():
    found = concordance(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert found.w == 1
    assert math.isnan(found.p)


def test_too_little_has_no_w():
    assert math.isnan(kendall_w(np.array([[1.0, 2.0, 3.0]])))
    assert math.isnan(kendall_w(np.ones((4, 1))))
    assert math.isnan(kendall_w(np.ones((4, 3))))
    assert math.isnan(concordance(np.ones((4, 3))).p)


@pytest.mark.slow
def test_interval_from_fifteen_seeds_on():
    values = RNG.normal(size=(20, 4)) + np.arange(4)
    found = concordance(values)
    assert 0 < found.low < found.w < found.high < 1
    assert concordance(values) == found
    assert math.isnan(concordance(values[:14]).low)
    assert concordance(values[:15]).low > 0


@pytest.mark.parametrize(("second", "w"), [([1.0, 2.0, 3.0], 1), ([3.0, 2.0, 1.0], 0)])
def test_seeds_of_one_order_or_of_opposite_ones_have_no_interval(second, w):
    found = concordance(np.array([[1.0, 2.0, 3.0], second] * 8))
    assert found.w == w
    assert math.isnan(found.low)


def test_profiles_fall_from_one():
    ranks = pd.DataFrame({"method": ["b", "a", "b", "a"], "value": [0.5, 0.9, 0.6, 0.7]})
    profiles = performance_profiles(ranks)
    assert list(profiles) == ["b", "a"]
    thresholds, shares = profiles["a"]
    assert thresholds.tolist() == [0.7, 0.9]
    assert shares.tolist() == [1.0, 0.5]
