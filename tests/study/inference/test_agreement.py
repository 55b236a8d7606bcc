import math

import pandas as pd
import pytest
from scipy import stats

from study.inference.agreement import (
    Agreement,
    Turn,
    agreements,
    pair_runs,
    runs_in_one,
    turns,
)
from study.paths import RunKey
from study.tables import measures_table

SEEDS = [0.5, 0.6, 0.9]
SPREAD = 0.20816659994661327  # of SEEDS, with n - 1


def runs(*values: float, first: int = 0, metric: str = "nll", method: str = "m") -> pd.DataFrame:
    """One metric of one method, for seeds ``first``, ``first`` + 1, ..."""
    return measures_table(
        {RunKey("e", method, first + i): {metric: value} for i, value in enumerate(values)}
    )


def shifted(by: float) -> pd.DataFrame:
    return runs(*(value + by for value in SEEDS))


def test_reach_is_the_prediction_interval_of_the_mean_of_as_many_seeds():
    (found,) = agreements(pair_runs(runs(*SEEDS), shifted(0.1)))
    # 4.302652730: Student's t, 97.5 %, two degrees of freedom
    assert found.reach == pytest.approx(4.302652730 * SPREAD * math.sqrt(2 / 3))
    assert found.committed == pytest.approx(2 / 3)
    assert found.fresh == pytest.approx(2 / 3 + 0.1)
    assert found.share == pytest.approx(0.1 / found.reach)
    assert (found.n, found.identical) == (3, False)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_mean_holds_within_the_reach_and_not_beyond(sign: int):
    reach = agreements(pair_runs(runs(*SEEDS), shifted(0)))[0].reach
    inside, outside = (
        agreements(pair_runs(runs(*SEEDS), shifted(sign * reach * f)))[0] for f in (0.99, 1.01)
    )
    assert inside.holds
    assert not outside.holds
    assert inside.share < 1 < outside.share


@pytest.mark.slow
def test_about_one_in_twenty_other_samples_lies_outside():
    draws = stats.norm.rvs(size=(2, 5, 2000), random_state=0)
    a, b = (
        pd.concat([runs(*values, metric=f"m{i}") for i, values in enumerate(half.T)])
        for half in draws
    )
    found = agreements(pair_runs(a, b))
    assert len(found) == 2000
    assert 0.035 < sum(not number.holds for number in found) / 2000 < 0.065


def test_the_spread_is_that_of_the_committed_runs_alone():
    (found,) = agreements(pair_runs(runs(0.5, 0.5001), runs(0.1, 0.9)))
    assert found.holds  # equal means
    (found,) = agreements(pair_runs(runs(0.5, 0.5001), runs(0.1, 0.91)))
    assert not found.holds


def test_where_committed_seeds_are_equal_the_spread_is_that_of_the_fresh_ones():
    committed = runs(*[1.0] * 5)
    (one_off,) = agreements(pair_runs(committed, runs(1.0, 1.0, 1.0, 1.0, 0.99)))
    assert one_off.holds
    assert one_off.reach == pytest.approx(2.776445105 * 0.01 / math.sqrt(5) * math.sqrt(2 / 5))
    (all_off,) = agreements(pair_runs(committed, runs(0.99, 0.991, 0.989, 0.99, 0.99)))
    assert not all_off.holds


def test_a_mean_on_the_edge_of_the_reach_holds():
    assert Agreement(
        "e", "m", "nll", 3, committed=0.5, fresh=0.75, reach=0.25, identical=False
    ).holds


# 0.1 three times has a standard deviation of 1e-17, from rounding.
@pytest.mark.parametrize("committed", [(0.5,), (0.5, 0.5), (0.1, 0.1, 0.1)])
def test_without_a_spread_only_the_same_mean_holds(committed: tuple[float, ...]):
    same, moved = (
        agreements(pair_runs(runs(*committed), runs(*(v + by for v in committed))))[0]
        for by in (0, 1e-6)
    )
    assert same.holds
    assert same.identical
    assert same.share == 0
    assert not moved.holds
    assert moved.share == math.inf


def test_seeds_without_a_value_are_left_out_of_their_table():
    a, b = (0.1, 0.4, math.nan, 0.7, math.nan), (0.1, 0.4, 0.7, math.nan, math.nan)
    (found,) = agreements(pair_runs(runs(*a), runs(*b)))
    assert (found.n, found.identical, found.holds) == (5, False, True)
    assert found.committed == found.fresh == pytest.approx(0.4)
    (whole,) = agreements(pair_runs(runs(0.1, 0.4, 0.7), runs(0.2, 0.5, 0.8)))
    assert found.reach == pytest.approx(whole.reach)
    (moved,) = agreements(pair_runs(runs(*a), runs(*(value + 2 for value in b))))
    assert not moved.holds
    # t(2) * s * sqrt(1/3 + 1/2)
    (fewer,) = agreements(pair_runs(runs(*a), runs(0.1, math.nan, math.nan, 0.7, math.nan)))
    assert fewer.reach == pytest.approx(4.30265 * 0.3 * (1 / 3 + 1 / 2) ** 0.5, rel=1e-5)


def test_a_value_that_half_of_the_seeds_have_in_one_table_only_does_not_hold():
    for a, b in [((0.5, math.nan), (0.5, 0.6)), ((0.5, 0.6), (0.5, math.nan))]:
        (found,) = agreements(pair_runs(runs(*a), runs(*b)))
        assert not found.holds
        assert (found.reach, found.share) == (0, math.inf)
    for values in [(0.5, math.nan), (math.nan, math.nan)]:
        (found,) = agreements(pair_runs(runs(*values), runs(*values)))
        assert found.holds
        assert found.share == 0
        assert found.identical


def test_runs_are_paired_by_seed_whatever_their_order():
    fresh = runs(*SEEDS).iloc[::-1]
    pairs = pair_runs(runs(*SEEDS), fresh)
    assert pairs["identical"].all()
    assert pairs["seed"].tolist() == [0, 1, 2]
    swapped = pair_runs(runs(0.5, 0.6), runs(0.6, 0.5))
    assert not swapped["identical"].any()
    assert agreements(swapped)[0].share == 0


def test_what_one_table_lacks_is_named_and_takes_no_part():
    a = pd.concat([runs(0.5, 0.6, 0.7), runs(1.0, metric="ece"), runs(0.1, 0.2, method="gone")])
    b = pd.concat([runs(0.6, 0.7, 9.0, first=1), runs(0.5), runs(0.3, method="new")])
    pairs = pair_runs(a, b)
    assert pairs.index.tolist() == list(range(8))
    assert list(runs_in_one(pairs, "committed")) == [
        "e m, seeds 0: ece",
        "e gone, seeds 0, 1: all metrics",
    ]
    assert list(runs_in_one(pairs, "fresh")) == [
        "e m, seeds 3: all metrics",
        "e new, seeds 0: all metrics",
    ]
    (found,) = agreements(pairs)
    assert (found.metric, found.n, found.identical) == ("nll", 3, True)


def test_agreements_come_in_the_order_of_the_runs():
    both = pd.concat([runs(0.5, method="z"), runs(0.5, method="b")])
    assert [found.method for found in agreements(pair_runs(both, both))] == ["z", "b"]


@pytest.mark.parametrize(
    ("before", "after", "holds", "flipped"),
    [
        ("supported", "supported", True, False),
        ("supported", "contradicted", False, True),
        ("contradicted", "supported", False, True),
        ("supported", "inconclusive", False, False),
        ("inconclusive", "contradicted", False, False),
        ("contradicted", "not asked", False, False),
        ("supported", None, False, False),
        (None, "contradicted", False, False),
    ],
)
def test_verdicts(before: str | None, after: str | None, holds: bool, flipped: bool):
    a, b = (
        pd.DataFrame({"id": ["c"] * bool(v), "verdict": [v] * bool(v)}) for v in (before, after)
    )
    (found,) = turns(a, b)
    assert found == Turn("c", before, after)
    assert (found.holds, found.flipped) == (holds, flipped)
