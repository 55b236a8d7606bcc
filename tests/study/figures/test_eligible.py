"""The heat map of eligible sets and alphas."""

import numpy as np
import pandas as pd
import pytest

from study.figures.eligible import draw_eligible
from study.paths import RunKey
from study.summaries.summary import summary_table
from study.tables import measures_table
from study.training.config import MethodConfig

METHODS = {
    "baseline": MethodConfig(),
    "input_1": MethodConfig(eligible=[0], alpha=1.0),
    "input_05": MethodConfig(eligible=[0], alpha=0.5),
    "hidden_1": MethodConfig(eligible=[1, 2], alpha=1.0),
    "hidden_05": MethodConfig(eligible=[1, 2], alpha=0.5),
}


def summary(seeds: int) -> pd.DataFrame:
    runs = {
        RunKey("e", name, seed): {
            "test_accuracy": 0.5 + 0.1 * place + 0.01 * seed,
            "test_nll": 0.9 - 0.1 * place,
        }
        for place, name in enumerate(METHODS)
        for seed in range(seeds)
    }
    return summary_table(measures_table(runs))


@pytest.mark.parametrize("seeds", [1, 3])
def test_every_cell_is_the_mean_of_its_method(seeds: int) -> None:
    figure = draw_eligible(summary(seeds), METHODS, ["test_accuracy"], "e")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["{0}", "{1, 2}"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.5", "1"]
    shift = 0.005 * (seeds - 1)
    cells = axes.images[0].get_array()
    assert cells is not None
    expected = [[0.7 + shift, 0.6 + shift], [0.9 + shift, 0.8 + shift]]
    assert cells.tolist() == [pytest.approx(row) for row in expected]
    texts = [text.get_text() for text in axes.texts]
    assert texts[0].startswith(f"{0.7 + shift:.3f}")
    assert all(("±" in text) == (seeds > 1) for text in texts)
    assert f"baseline {0.5 + shift:.3f}" in axes.get_title(loc="left")
    assert (f"{seeds} seeds" in figure.get_suptitle()) == (seeds > 1)


def test_the_best_cell_is_the_brightest_in_every_panel_and_at_the_top_of_its_bar() -> None:
    figure = draw_eligible(summary(2), METHODS, ["test_accuracy", "test_nll"], "e")
    for axes, bar in zip(figure.axes[:2], figure.axes[2:], strict=True):
        image = axes.images[0]
        colours = image.cmap(image.norm(image.get_array()))[..., :3].sum(axis=-1)
        assert np.unravel_index(colours.argmax(), colours.shape) == (1, 0)  # hidden, alpha 0.5
        assert np.unravel_index(colours.argmin(), colours.shape) == (0, 1)  # input, alpha 1
        cells = image.get_array()
        assert cells is not None
        assert bar.get_ylim() == pytest.approx((cells[0, 1], cells[1, 0]))
    assert "yellow is better in every panel" in figure.get_suptitle()


def test_a_pair_that_no_method_has_leaves_its_cell_empty() -> None:
    methods = {name: method for name, method in METHODS.items() if name != "hidden_05"}
    figure = draw_eligible(summary(2), methods, ["test_accuracy"], "e")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert len(texts) == 3
    assert not any("nan" in text for text in texts)
