"""Scatter plots of the bottleneck."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from mixup.figures.bottleneck import MAX_POINTS, Embedding, draw_bottleneck
from mixup.figures.style import class_colour


def embedding(seed: int, n: int = 60) -> Embedding:
    rng = np.random.default_rng(seed)
    return Embedding(rng.normal(size=(n, 2)) * (1, 9), rng.integers(0, 7, size=n))


ROWS = {
    "seed 0, training data": {"baseline": embedding(0), "manifold": embedding(1)},
    "seed 0, test data": {"baseline": embedding(2), "manifold": embedding(3)},
    "seed 1, test data": {"baseline": embedding(4), "manifold": embedding(5)},
}


def test_each_panel_shows_its_own_states_in_the_colours_of_the_classes():
    figure = draw_bottleneck(ROWS, "t")
    drawn = [of_method for row in ROWS.values() for of_method in row.values()]
    for axes, shown in zip(figure.axes, drawn, strict=True):
        dots = axes.collections[0]
        assert np.array_equal(dots.get_offsets(), shown.states)
        expected = [to_rgba(class_colour(label)) for label in shown.labels]
        assert np.array_equal(dots.get_facecolors(), expected)


def test_a_class_is_named_at_its_median():
    axes = draw_bottleneck(ROWS, "t").axes[0]
    shown = ROWS["seed 0, training data"]["baseline"]
    assert [text.get_text() for text in axes.texts] == list("0123456")
    for label, text in enumerate(axes.texts):
        x, y = shown.states[shown.labels == label].T
        assert text.get_position() == pytest.approx((np.median(x), np.median(y)))
        assert text.get_color() == class_colour(label)


def test_methods_are_columns_and_rows_are_named():
    figure = draw_bottleneck(ROWS, "mnist_2d: classes")
    assert [axes.get_title() for axes in figure.axes[:2]] == ["baseline", "manifold mixup"]
    assert [axes.get_ylabel().split("\n")[0] for axes in figure.axes[::2]] == list(ROWS)
    assert "mnist_2d: classes" in figure.get_suptitle()


def test_both_axes_have_the_same_unit():
    figure = draw_bottleneck(ROWS, "t")
    figure.draw_without_rendering()
    for axes in figure.axes:
        x0, x1, y0, y1 = axes.axis()
        box = axes.get_window_extent()
        assert box.width / (x1 - x0) == pytest.approx(box.height / (y1 - y0), rel=1e-3)


def test_only_some_classes():
    shown = embedding(0).only(range(3))
    assert set(shown.labels) == {0, 1, 2}
    assert len(shown.states) == len(shown.labels) == np.sum(embedding(0).labels < 3)
    axes = draw_bottleneck({"r": {"baseline": shown}}, "t").axes[0]
    assert [text.get_text() for text in axes.texts] == list("012")


def test_a_large_set_is_cut_but_named_alike():
    axes = draw_bottleneck({"r": {"baseline": embedding(0, n=3 * MAX_POINTS)}}, "t").axes[0]
    assert np.array_equal(
        axes.collections[0].get_offsets(), embedding(0, n=3 * MAX_POINTS).states[:MAX_POINTS]
    )
