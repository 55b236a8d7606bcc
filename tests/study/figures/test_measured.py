"""Measures by method: dots, means and intervals stand where the tables have them."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from study.figures.measured import draw_methods
from study.figures.style import styled
from study.measures.catalogue import MEASURES, title
from study.summaries import summary_table

COLOURS = {"manifold": "#D55E00", "baseline": "#000000", "absent": "#ff0000"}
VALUES = {
    ("baseline", "test_accuracy"): [0.80, 0.85, 0.90],
    ("manifold", "test_accuracy"): [0.88, 0.81, 0.95],
    ("baseline", "test_nll"): [1.1, 2.0, 3.0],
    ("manifold", "test_nll"): [0.1, 0.2, 0.3],
    ("baseline", "train_nll"): [1e-5, 2e-5, 1e-4],
    ("manifold", "train_nll"): [0.1, 0.2, 0.3],
    ("baseline", "not_drawn"): [1.0, 2.0, 3.0],
}


def tables(seeds: tuple[int, ...] = (2, 0, 1)) -> tuple[pd.DataFrame, pd.DataFrame]:
    runs = pd.DataFrame(
        {"experiment": "e", "method": method, "seed": seed, "metric": metric, "value": value}
        for (method, metric), values in VALUES.items()
        for seed, value in zip((2, 0, 1), values, strict=True)
        if seed in seeds
    )
    return runs, summary_table(runs)


def panel(figure: Figure, metric: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_title(loc="left") == title(metric))


def test_dots_are_the_seeds_of_each_method_in_its_colour():
    axes = panel(draw_methods(*tables(), COLOURS, "t"), "test_accuracy")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["manifold mixup", "baseline"]
    for row, (method, dots) in enumerate(
        zip(("manifold", "baseline"), axes.collections, strict=True)
    ):
        x, y = dots.get_offsets().T
        assert sorted(x) == sorted(VALUES[method, "test_accuracy"])
        assert np.abs(y - row).max() < 0.5
        assert same_color(dots.get_facecolor()[0][:3], COLOURS[method])


def test_a_line_joins_the_values_of_one_seed():
    axes = panel(draw_methods(*tables(), COLOURS, "t"), "test_accuracy")
    pairs = {
        tuple(line.get_xdata()) for line in axes.lines if same_color(line.get_color(), "#d0d0d0")
    }
    assert pairs == {(0.88, 0.80), (0.81, 0.85), (0.95, 0.90)}


def test_bars_are_the_95_percent_interval_of_the_mean():
    axes = panel(draw_methods(*tables(), COLOURS, "t"), "test_accuracy")
    for method in ("manifold", "baseline"):
        values = VALUES[method, "test_accuracy"]
        mean = sum(values) / 3
        # 4.302653: the 97.5 % point of Student's t with 2 degrees of freedom
        half = 4.302653 * np.sqrt(sum((v - mean) ** 2 for v in values) / 2 / 3)
        of_method = [line for line in axes.lines if same_color(line.get_color(), COLOURS[method])]
        bar, dot = (line.get_xdata() for line in of_method)
        assert bar == pytest.approx([mean - half, mean + half], abs=1e-6)
        assert dot == pytest.approx([mean])


def test_only_values_over_two_decades_are_on_a_logarithmic_axis():
    figure = draw_methods(*tables(), COLOURS, "t")
    assert panel(figure, "test_nll").get_xscale() == "linear"
    axes = panel(figure, "train_nll")
    assert axes.get_xscale() == "log"
    low, high = axes.get_xlim()
    assert low < 1e-5 < 0.3 < high


def test_tick_labels_of_a_logarithmic_axis_leave_room_between_them():
    runs, _ = tables()
    runs["value"] = runs["value"].where(runs["metric"] != "train_nll", runs["value"] ** 1.3)
    figure = draw_methods(runs, summary_table(runs), COLOURS, "t")
    axes = panel(figure, "train_nll")
    with styled():
        figure.draw_without_rendering()
    low, high = axes.get_xlim()
    ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    extents = [label.get_window_extent() for at, label in ticks if low <= at <= high]
    assert high / low > 1e5
    assert len(extents) >= 3
    assert all(left.x1 + 15 < right.x0 for left, right in itertools.pairwise(extents))


def test_an_interval_that_runs_off_a_logarithmic_axis_ends_in_an_arrowhead():
    figure = draw_methods(*tables(), COLOURS, "t")
    axes = panel(figure, "train_nll")
    left, _ = axes.get_xlim()
    heads = [line for line in axes.lines if line.get_marker() == "<"]
    # of three seeds both intervals reach below zero
    assert [line.get_color() for line in heads] == [COLOURS["manifold"], COLOURS["baseline"]]
    assert all(line.get_xdata() == [left] for line in heads)
    assert not any(line.get_marker() == "<" for line in panel(figure, "test_accuracy").lines)
    assert "arrowhead" in figure.get_supxlabel()
    runs, _ = tables()
    runs = runs[runs["metric"] == "test_accuracy"]
    assert "arrowhead" not in draw_methods(runs, summary_table(runs), COLOURS, "t").get_supxlabel()


def test_labels_stand_alone_and_their_words_are_explained():
    drawn = [measure.words for measure in MEASURES if "methods" in measure.seen_in]
    assert len(drawn) > 10
    assert not any("same" in words or "above" in words for words in drawn)
    runs, _ = tables()
    assert "class core" not in draw_methods(runs, summary_table(runs), COLOURS, "t").get_supxlabel()
    runs["metric"] = runs["metric"].replace("test_nll", "test_core_hull_coverage")
    figure = draw_methods(runs, summary_table(runs), COLOURS, "t")
    assert "class core: convex hull of the 95 %" in figure.get_supxlabel()


def test_only_the_listed_metrics_that_were_measured_are_drawn():
    figure = draw_methods(*tables(), COLOURS, "t")
    shown = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert shown == [title(name) for name in ("test_accuracy", "test_nll", "train_nll")]


def test_a_metric_that_one_method_lacks():
    runs, summary = tables()
    runs = runs[(runs["method"] != "baseline") | (runs["metric"] != "train_nll")]
    summary = summary[(summary["method"] != "baseline") | (summary["metric"] != "train_nll")]
    axes = panel(draw_methods(runs, summary, COLOURS, "t"), "train_nll")
    of_manifold, of_baseline = (dots.get_offsets() for dots in axes.collections)
    assert sorted(of_manifold[:, 0]) == [0.1, 0.2, 0.3]
    assert not np.ma.asarray(of_baseline).compressed().size or np.isnan(of_baseline[:, 0]).all()


def test_the_title_says_n():
    assert "n = 3 seeds" in draw_methods(*tables(), COLOURS, "spirals").get_suptitle()
    assert "spirals" in draw_methods(*tables(), COLOURS, "spirals").get_suptitle()


def test_one_seed_has_dots_and_no_interval():
    figure = draw_methods(*tables(seeds=(0,)), COLOURS, "t")
    assert figure.get_suptitle().endswith("one seed")
    axes = panel(figure, "test_accuracy")
    assert [dots.get_offsets()[0, 0] for dots in axes.collections] == [0.81, 0.85]
    assert all(same_color(line.get_color(), "#d0d0d0") for line in axes.lines)
