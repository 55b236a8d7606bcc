"""Draws of mixing: points, shares and the Beta density."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color

from study.figures.draws import draw_draws, layers_mixed

COLOURS = {"baseline": "#000000", "hidden": "#009E73", "manifold": "#D55E00"}


def history(method: str, seed: int, k: list[int], lam: list[float]) -> pd.DataFrame:
    steps = 100 * (1 + np.arange(len(k)))
    return pd.DataFrame({"method": method, "seed": seed, "step": steps, "k": k, "lam": lam})


@pytest.fixture
def histories() -> pd.DataFrame:
    return pd.concat(
        [
            history("hidden", 7, [1, 3, 3, 2], [0.05, 0.55, 0.95, 0.58]),
            history("hidden", 2, [1, 1, 1, 2], [0.15, 0.25, 0.35, 0.57]),
            history("manifold", 7, [0, 3, 1, 2], [0.4, 0.3, 0.2, 0.1]),
            history("manifold", 2, [0, 0, 0, 0], [0.8, 0.8, 0.8, 0.8]),
        ]
    )


@pytest.fixture
def rows(histories: pd.DataFrame) -> list:
    figure = draw_draws(histories, COLOURS, alpha=2.0, layers=range(4), title="spirals")
    assert len(figure.axes) == 8
    return [figure.axes[:4], figure.axes[4:]]


def test_points_are_those_of_the_first_seed(rows: list):
    k, _, lam, _ = rows[0]
    assert k.collections[0].get_offsets().tolist() == [[100, 1], [200, 3], [300, 3], [400, 2]]
    assert lam.collections[0].get_offsets().tolist() == [
        [100, 0.05],
        [200, 0.55],
        [300, 0.95],
        [400, 0.58],
    ]
    assert same_color(k.collections[0].get_facecolor()[0], COLOURS["hidden"])
    assert same_color(rows[1][0].collections[0].get_facecolor()[0], COLOURS["manifold"])
    assert rows[1][0].get_title(loc="left") == "manifold mixup"


def test_shares_are_over_all_seeds_and_all_layers(rows: list):
    assert [bar.get_width() for bar in rows[0][1].patches] == [0, 4 / 8, 2 / 8, 2 / 8]
    assert [bar.get_width() for bar in rows[1][1].patches] == [5 / 8, 1 / 8, 1 / 8, 1 / 8]
    assert list(rows[0][0].get_yticks()) == [0, 1, 2, 3]


def test_the_histogram_of_lam_is_a_density_over_all_seeds(rows: list):
    counts = [1, 1, 1, 1, 0, 3, 0, 0, 0, 1]
    assert [bar.get_width() for bar in rows[0][3].patches] == pytest.approx(
        [count / 8 / 0.1 for count in counts]
    )


def test_the_line_is_the_density_of_beta_2_2(rows: list):
    line = rows[0][3].lines[0]
    lam = np.asarray(line.get_ydata())
    assert line.get_xdata() == pytest.approx(6 * lam * (1 - lam))
    assert lam.min() < 0.01
    assert lam.max() > 0.99


def test_alpha_of_another_study(histories: pd.DataFrame):
    figure = draw_draws(histories, COLOURS, alpha=0.5, layers=range(4), title="t")
    line = figure.axes[3].lines[0]
    lam = np.asarray(line.get_ydata())
    assert line.get_xdata() == pytest.approx(1 / (np.pi * np.sqrt(lam * (1 - lam))))
    assert "Beta(0.5, 0.5)" in figure.get_suptitle()


def test_the_title_says_which_seeds(histories: pd.DataFrame):
    title = draw_draws(histories, COLOURS, 2.0, range(4), "spirals").get_suptitle()
    assert "spirals" in title
    assert "dots: recorded steps of seed 7" in title
    assert "n = 2 seeds" in title
    assert "all 8 recorded steps" in title


def test_the_title_says_that_methods_are_paired_and_few_draws_rough(histories: pd.DataFrame):
    title = draw_draws(histories, COLOURS, 2.0, range(4), "t").get_suptitle()
    assert "of one seed all draw the same lam" in title
    assert "so few draws" in title
    many = pd.concat([histories[histories["method"] == "hidden"]] * 200)
    title = draw_draws(many, COLOURS, 2.0, range(4), "t").get_suptitle()
    assert "all 1,600 recorded steps" in title
    assert "same lam" not in title
    assert "few draws" not in title


def test_layers_may_have_names_and_names_may_be_numbers(histories: pd.DataFrame):
    named = histories.assign(k=["input", 0, 0, 2] * 4)
    layers = layers_mixed(named["k"], n_hidden=0)
    assert layers == ["input", "0", "2"]
    figure = draw_draws(named, COLOURS, 2.0, layers, "t")
    assert figure.axes[0].collections[0].get_offsets()[:, 1].tolist() == [0, 1, 1, 2]
    assert [bar.get_width() for bar in figure.axes[1].patches] == [1 / 4, 2 / 4, 1 / 4]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == layers


def test_layers_of_numbers_are_all_that_there_are(histories: pd.DataFrame):
    assert layers_mixed(histories["k"], n_hidden=4) == [0, 1, 2, 3, 4]
