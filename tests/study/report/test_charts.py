"""Places in the picture of a claim."""

import math

import numpy as np
import pytest

from study.report.charts import LEFT, RIGHT, WIDTH, interval_chart, profile_chart

DOTS = {"seed 0": (0.1, "a"), "seed 1": (0.3, "b")}


def test_places_keep_the_order_and_the_proportions_of_the_numbers() -> None:
    chart = interval_chart(DOTS, (0.2, 0.0, 0.4), (0.05, math.inf))
    (first, y_first, name, words), (second, y_second, *_) = chart.dots
    assert (name, words) == ("seed 0", "a")
    assert y_first < y_second
    x, left, right, y = chart.estimate
    assert y > y_second
    assert chart.reference == left < first < x < second < right
    assert second - x == pytest.approx(x - first, abs=0.2)
    assert right - left == pytest.approx(2 * (second - first), abs=0.3)
    ((start, end),) = chart.regions
    assert left < start < first
    assert start - left == pytest.approx((second - first) / 4, abs=0.2)
    assert end == WIDTH - RIGHT


def test_ticks_stand_where_their_numbers_are() -> None:
    chart = interval_chart({}, (0.5, 0.25, 0.75), (0.1, 0.9), percent=True, limits=(0, 1))
    assert chart.reference is None
    places = {words: x for x, words in chart.ticks}
    assert places["0 %"] == LEFT
    assert places["100 %"] == WIDTH - RIGHT
    assert places["50 %"] == chart.estimate[0]


def test_claim_out_of_sight_shades_nothing() -> None:
    chart = interval_chart(DOTS, None, (-math.inf, -5.0))
    ((start, end),) = chart.regions
    assert LEFT <= start < end < chart.dots[0][0]
    assert interval_chart(DOTS, None, None).regions == []


def test_missing_interval_draws_the_estimate_alone() -> None:
    x, left, right, _ = interval_chart(DOTS, (0.2, math.nan, math.nan), None).estimate
    assert x == left == right
    assert interval_chart({}, (math.nan,) * 3, (0.0, math.inf)).estimate is None


def test_many_seeds_stay_in_a_small_picture_without_names() -> None:
    chart = interval_chart({f"seed {i}": (i / 9, "") for i in range(60)}, (3.0, 2.0, 4.0), None)
    assert chart.height < 320
    assert {name for _, _, name, _ in chart.dots} == {""}


def test_a_profile_steps_down_at_each_threshold() -> None:
    chart = profile_chart({"a": ([0.5, 0.75, 1.0], [1.0, 2 / 3, 1 / 3]), "b": ([0.5], [1.0])})
    corners = [tuple(map(float, point.split(","))) for point in chart.lines["a"].split()]
    assert corners[0][0] < corners[1][0]  # from the left edge, where all seeds are above
    across = [x for x, _ in corners[1:]]
    assert across == sorted(across)
    heights = dict.fromkeys(y for _, y in corners)
    words = {text: y for y, text in chart.y_ticks}
    assert next(iter(heights)) == words["100 %"]
    assert list(heights)[-1] == words["0 %"]
    steps = np.diff(list(heights))
    assert steps == pytest.approx([steps[0]] * 3, abs=0.2)
    assert chart.lines["b"].split()[-1] == f"{across[0]},{words['0 %']}"
