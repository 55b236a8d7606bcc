"""The figures of hidden states: numbers at their places, n and spread said."""

import numpy as np
import pandas as pd
import pytest

from study.figures.features import draw_class_ratios, draw_neighbours
from study.figures.style import method_colours
from study.figures.widths import PANELS, draw_widths
from study.paths import RunKey
from study.summaries import summary_table
from study.tables import measures_table
from study.training.experiment import ExperimentConfig
from tests.training import experiment

METHODS = ("baseline", "input", "manifold")
COLOURS = method_colours([*METHODS, "unmeasured"])
WIDTHS = ExperimentConfig.model_validate(
    experiment(
        "d",
        {
            "p_9": {"bottleneck": 9},
            "p_2": {"bottleneck": 2},
            "m_9": {"bottleneck": 9, "eligible": [1]},
            "m_2": {"bottleneck": 2, "eligible": [1]},
        },
        {"width": 8, "depth": 2, "bottleneck": {"layer": 1, "size": 3}},
    )
)


def features(seeds: int) -> pd.DataFrame:
    def measures(place: int, seed: int) -> dict[str, float]:
        ratios = {
            f"test_first_over_others_{scaling}{of}_after_1": 0.1 * place + 0.01 * seed + shift
            for scaling in ("raw", "centred")
            for of, shift in (("_0", 1.0), ("_1", 2.0), ("", 3.0))
        }
        return ratios | {f"test_knn_error_after_{k}": 0.1 * place + 0.01 * seed for k in range(3)}

    return measures_table(
        {
            RunKey("e", name, seed): measures(place, seed)
            for place, name in enumerate(METHODS)
            for seed in range(seeds)
        }
    )


def means_drawn(axes, label: str) -> list[float]:
    container = next(c for c in axes.containers if c.get_label() == label)
    return container.lines[0].get_ydata().tolist()


@pytest.mark.parametrize("seeds", [1, 3])
def test_each_class_and_the_mean_have_a_place(seeds: int):
    figure = draw_class_ratios(summary_table(features(seeds)), COLOURS, "e")
    shift = 0.005 * (seeds - 1)
    for axes in figure.axes:
        expected = [1.2 + shift, 2.2 + shift, 3.2 + shift]
        assert means_drawn(axes, "manifold mixup") == pytest.approx(expected)
    ticks = [tick.get_text() for tick in figure.axes[1].get_xticklabels()]
    assert ticks == ["0", "1", "mean"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["baseline", "input mixup", "manifold mixup"]
    assert (f"n = {seeds} seeds" in figure.get_suptitle()) == (seeds > 1)


@pytest.mark.parametrize("seeds", [1, 3])
def test_neighbours_are_compared_with_the_baseline_of_the_same_seed(seeds: int):
    runs = features(seeds)
    figure = draw_neighbours(runs, summary_table(runs), COLOURS, "e")
    error, difference = figure.axes
    shift = 0.005 * (seeds - 1)
    assert means_drawn(error, "input mixup") == pytest.approx([0.1 + shift] * 3)
    dots = error.collections[-1].get_offsets().data[:, 1]
    assert sorted(dots) == pytest.approx(np.repeat([0.2 + 0.01 * s for s in range(seeds)], 3))
    assert np.isnan(means_drawn(difference, "baseline")).all()
    assert means_drawn(difference, "manifold mixup") == pytest.approx([0.2] * 2)
    ticks = [tick.get_text() for tick in error.get_xticklabels()]
    assert ticks == ["input", "after layer 1", "after layer 2"]
    assert [tick.get_text() for tick in difference.get_xticklabels()] == ticks[1:]
    assert (f"n = {seeds} seeds" in figure.get_suptitle()) == (seeds > 1)


@pytest.mark.parametrize("seeds", [1, 3])
def test_widths_are_in_their_order_beside_what_is_predicted(seeds: int):
    metrics = [*PANELS, "train_variance_within"]
    runs = measures_table(
        {
            RunKey("e", name, seed): dict.fromkeys(metrics, place + 0.1 * seed)
            for place, name in enumerate(WIDTHS.all_methods)
            for seed in range(seeds)
        }
    )
    figure = draw_widths(runs, summary_table(runs), WIDTHS, 4, "e")
    shift = 0.05 * (seeds - 1)
    excess, linearity, variance, logits = figure.axes
    assert [len(axes.containers) for axes in figure.axes] == [1, 2, 2, 2]
    plain = next(c for c in linearity.containers if c.get_label() == "plain training").lines[0]
    assert plain.get_xdata().tolist() == [2, 9]
    assert plain.get_ydata().tolist() == pytest.approx([1 + shift, shift])
    predicted = {
        axes: [line for line in axes.get_lines() if line.get_linestyle() == ":"]
        for axes in figure.axes
    }
    assert not predicted[logits]
    for axes, value in ((excess, 0), (linearity, 1), (variance, 0)):
        (line,) = predicted[axes]
        assert list(line.get_xdata()) == [3, 9]
        assert list(line.get_ydata()) == [value, value]
    assert [tick.get_text() for tick in logits.get_xticklabels()] == ["2", "9"]
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == [
        "theorem 1, from d - 1 = 3 units on",
        "plain training",
        "mixing at the bottleneck",
    ]
    assert (f"n = {seeds} seeds" in figure.get_suptitle()) == (seeds > 1)
