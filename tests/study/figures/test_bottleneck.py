"""Scatter plots of the bottleneck."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.text import Text

from study.figures.bottleneck import MAX_POINTS, Embedding, draw_bottleneck
from study.figures.style import class_colour, styled


def embedding(seed: int, n: int = 60) -> Embedding:
    rng = np.random.default_rng(seed)
    return Embedding(rng.normal(size=(n, 2)) * (1, 9), rng.integers(0, 7, size=n))


COLUMNS = {
    "seed 0, training data": {"baseline": embedding(0), "manifold": embedding(1)},
    "seed 0, test data": {"baseline": embedding(2), "manifold": embedding(3)},
    "seed 1, test data": {"baseline": embedding(4), "manifold": embedding(5)},
}


def test_each_panel_shows_its_own_states_in_the_colours_of_the_classes():
    figure = draw_bottleneck(COLUMNS, "t")
    drawn = [column[method] for method in ("baseline", "manifold") for column in COLUMNS.values()]
    for axes, shown in zip(figure.axes, drawn, strict=True):
        dots = axes.collections[0]
        assert np.array_equal(dots.get_offsets(), shown.states)
        expected = [to_rgba(class_colour(label)) for label in shown.labels]
        assert np.array_equal(dots.get_facecolors(), expected)


def test_a_line_leads_from_the_name_of_a_class_to_its_median():
    axes = draw_bottleneck(COLUMNS, "t").axes[0]
    shown = COLUMNS["seed 0, training data"]["baseline"]
    assert [text.get_text() for text in axes.texts] == list("0123456")
    for label, text in enumerate(axes.texts):
        x, y = shown.states[shown.labels == label].T
        assert text.xy == pytest.approx((np.median(x), np.median(y)))
        assert text.get_color() == class_colour(label)
        assert to_rgba(class_colour(label)) == text.arrow_patch.get_edgecolor()


@pytest.mark.parametrize("spread", [1.0, 0.02])
def test_no_name_covers_a_point_or_another_name(spread: float):
    rng = np.random.default_rng(3)
    labels = np.arange(400) % 4
    centres = np.array([[0, 0], [0.1, 0], [5, 5], [5, -5]])
    states = centres[labels] + spread * rng.normal(size=(400, 2))
    figure = draw_bottleneck({"r": {"baseline": Embedding(states, labels)}}, "t")
    with styled():
        figure.draw_without_rendering()
    axes = figure.axes[0]
    dots = axes.transData.transform(states)
    names = [Text.get_window_extent(text) for text in axes.texts]
    assert len(names) == 4
    for place, name in enumerate(names):
        assert not any(name.contains(x, y) for x, y in dots)
        assert not any(name.overlaps(other) for other in names[:place])


def test_methods_are_rows_and_columns_say_what_and_how_many_points():
    figure = draw_bottleneck(COLUMNS, "mnist_2d: classes")
    assert [axes.get_title() for axes in figure.axes[:3]] == [f"{c}\n60 points" for c in COLUMNS]
    assert ["manifold" in axes.get_ylabel() for axes in figure.axes[::3]] == [False, True]
    assert "mnist_2d: classes" in figure.get_suptitle()


def test_more_methods_make_a_figure_longer_and_not_wider():
    column = {f"m{i}": embedding(i) for i in range(7)}
    two = draw_bottleneck({"r": dict(list(column.items())[:2])}, "t").get_size_inches()
    seven = draw_bottleneck({"r": column}, "t").get_size_inches()
    assert seven[0] == two[0]
    assert seven[1] > 3 * two[1] - 1


def test_both_axes_have_the_same_unit():
    figure = draw_bottleneck(COLUMNS, "t")
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
    assert axes.get_title() == "r\nfirst 1,000 of 3,000 points"
    assert np.array_equal(
        axes.collections[0].get_offsets(), embedding(0, n=3 * MAX_POINTS).states[:MAX_POINTS]
    )
