"""Training curves, checked against means, minima and maxima taken one step at a time."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from study.figures.curves import draw_curves

COLOURS = {"baseline": "#000000", "mine": "#0072B2", "absent": "#ff0000"}
STEPS = [10, 20, 30]


@pytest.fixture
def histories() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "method": method,
            "seed": seed,
            "step": step,
            "train_loss": rng.uniform(1e-5, 1),
            "test_loss": rng.uniform(0.3, 3),
            "train_accuracy": rng.uniform(0.9, 1),
            "test_accuracy": rng.uniform(0.6, 0.9),
        }
        for method in ("mine", "baseline")
        for seed in (3, 1, 4)
        for step in STEPS
    )


def panel(figure: Figure, title: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_title(loc="left") == title)


@pytest.mark.parametrize(
    ("title", "quantity"),
    [
        ("loss on training data (nats)", "train_loss"),
        ("loss on test data (nats)", "test_loss"),
        ("accuracy on training data", "train_accuracy"),
        ("accuracy on test data", "test_accuracy"),
    ],
)
def test_lines_are_means_and_bands_reach_from_the_lowest_to_the_highest_seed(
    histories: pd.DataFrame, title: str, quantity: str
):
    axes = panel(draw_curves(histories, COLOURS, "t"), title)
    assert len(axes.lines) == len(axes.collections) == 2
    for line, band, method in zip(axes.lines, axes.collections, ("baseline", "mine"), strict=True):
        assert line.get_label() == method
        assert same_color(line.get_color(), COLOURS[method])
        assert same_color(band.get_facecolor()[0][:3], COLOURS[method])
        vertices = band.get_paths()[0].vertices
        for step, x, y in zip(STEPS, line.get_xdata(), line.get_ydata(), strict=True):
            at_step = [
                row[quantity]
                for _, row in histories.iterrows()
                if (row["step"], row["method"]) == (step, method)
            ]
            assert x == step
            assert y == pytest.approx(sum(at_step) / 3)
            of_band = vertices[vertices[:, 0] == step, 1]
            assert of_band.min() == pytest.approx(min(at_step))
            assert of_band.max() == pytest.approx(max(at_step))


def test_losses_are_logarithmic_and_all_seeds_fit(histories: pd.DataFrame):
    figure = draw_curves(histories, COLOURS, "t")
    for title, quantity in (("training", "train_loss"), ("test", "test_loss")):
        axes = panel(figure, f"loss on {title} data (nats)")
        assert axes.get_yscale() == "log"
        low, high = axes.get_ylim()
        assert low < histories[quantity].min() < histories[quantity].max() < high
    assert panel(figure, "accuracy on test data").get_yscale() == "linear"


def test_both_accuracies_have_the_same_axis(histories: pd.DataFrame):
    figure = draw_curves(histories, COLOURS, "t")
    train, test = (panel(figure, f"accuracy on {part} data") for part in ("training", "test"))
    assert train.get_ylim() == test.get_ylim()
    assert train.get_ylim()[0] < histories["test_accuracy"].min()


def test_the_title_says_what_and_how_many(histories: pd.DataFrame):
    title = draw_curves(histories, COLOURS, "spirals").get_suptitle()
    assert "spirals" in title
    assert "clean data" in title
    assert "n = 3 seeds; line: mean, band: lowest to highest seed" in title
    one = draw_curves(histories[histories["seed"] == 4], COLOURS, "t").get_suptitle()
    assert one.endswith("one seed")


def test_a_single_evaluation_can_be_seen(histories: pd.DataFrame):
    figure = draw_curves(histories[histories["step"] == 30], COLOURS, "t")
    assert all(line.get_marker() == "." for axes in figure.axes for line in axes.lines)
