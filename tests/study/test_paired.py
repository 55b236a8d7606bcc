"""Values over seeds: pairs, effects and intervals, against closed forms."""

import math

import numpy as np
import pandas as pd
import pytest

from study.paired import (
    as_shares,
    do_not_vary,
    effects,
    mean_and_interval,
    standard_error,
    t_interval,
    two_sides,
)
from study.tables import MEASURES

NAN = math.nan


def runs() -> pd.DataFrame:
    rows = [
        ("e", "manifold", 3, "m", 2.0),
        ("e", "manifold", 1, "m", 8.0),
        ("e", "manifold", 2, "m", math.inf),
        ("e", "baseline", 1, "m", 4.0),
        ("e", "baseline", 3, "m", 4.0),
        ("e", "baseline", 3, "other", 5.0),
        ("f", "baseline", 3, "m", 77.0),
    ]
    return pd.DataFrame(rows, columns=MEASURES)


def test_interval_of_three_values() -> None:
    # mean 2, standard deviation 1; 4.302653 is the 97.5 % point of t with 2 degrees of freedom
    mean, low, high = mean_and_interval(pd.Series([1.0, 2.0, 3.0]))
    assert mean == 2
    assert (low, high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))
    assert t_interval([5.0, 5.0]) == (5, 5)


def test_seeds_that_split_the_same_data_anew_err_more() -> None:
    values = [1.0, 2.0, 3.0]  # of standard deviation 1
    assert standard_error(values) == pytest.approx((1 / 3) ** 0.5)
    assert standard_error(values, 0.25) == pytest.approx((1 / 3 + 0.25) ** 0.5)


@pytest.mark.parametrize("values", [[], [1.0]])
def test_too_few_values_have_no_interval(values: list[float]) -> None:
    assert np.isnan(t_interval(values)).all()


def test_sides_are_paired_by_seed_in_the_order_of_the_runs() -> None:
    one, other = two_sides(runs(), "e", ("manifold", "m"), ("baseline", "m"))
    assert one.to_dict() == pytest.approx({3: 2.0, 1: 8.0, 2: NAN}, nan_ok=True)
    assert list(other.index) == [3, 1, 2]
    assert other.to_dict() == pytest.approx({3: 4.0, 1: 4.0, 2: NAN}, nan_ok=True)
    _, measure = two_sides(runs(), "e", ("manifold", "m"), ("baseline", "other"))
    assert measure.to_dict() == pytest.approx({3: 5.0, 1: NAN, 2: NAN}, nan_ok=True)
    _, number = two_sides(runs(), "e", ("manifold", "m"), 0.5)
    assert set(number) == {0.5}


def test_effects_leave_out_what_cannot_be_compared() -> None:
    one, other = pd.Series([2.0, 0.5, NAN, -1.0, 0.0]), pd.Series([4.0, 0.25, 4.0, 4.0, 4.0])
    assert effects(one, other, relative=False).to_dict() == {0: -2, 1: 0.25, 3: -5, 4: -4}
    ratios = effects(one, other, relative=True)
    assert ratios.to_dict() == pytest.approx({0: -math.log(2), 1: math.log(2)})
    assert ratios.mean() == pytest.approx(0)  # a half and a double cancel
    assert as_shares(ratios).to_dict() == pytest.approx({0: -0.5, 1: 1.0})


def test_differences_that_were_rounded_differently_do_not_vary() -> None:
    assert do_not_vary([0.1 + 0.2, 0.3], of=[0.3])
    assert do_not_vary([0.0, 5e-4], of=[1e6, -2.0])
    assert do_not_vary([0.0, 0.0], of=[0.0])
    assert not do_not_vary([0.3, 0.3001], of=[0.3])
