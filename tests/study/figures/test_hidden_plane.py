"""Input and hidden planes, and singular values, checked against the numbers that went in."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color, to_rgba
from matplotlib.figure import Figure

from study.figures.boundaries import ProbabilityMap
from study.figures.hidden_plane import (
    WIDTH,
    HiddenPanel,
    draw_hidden,
    draw_singular_values,
    square_around,
)
from study.figures.style import BINARY_COLOURS

MEASURES = {
    "test_accuracy": 0.875,
    "low_confidence_area": 0.111,
    "boundary_length": 2.22,
    "hidden_effective_rank": 1.333,
    "hidden_first_share": 0.444,
    "hidden_low_confidence_area": 0.555,
    "hidden_boundary_length": 6.66,
}


def panel(shift: float = 0.0, n: int = 6, seeds: int = 1) -> HiddenPanel:
    rng = np.random.default_rng(0)
    points, states = rng.uniform(-1, 1, (n, 2)), rng.uniform(2, 9, (n, 2)) + shift
    labels = np.arange(n) % 2
    ramp = np.tile(np.linspace(0, 1, 30), (30, 1))
    return HiddenPanel(
        ProbabilityMap(ramp, (-1, 1, -1, 1), points, labels, 0.875),
        ProbabilityMap(ramp.T, square_around(states), states, labels, 0.875),
        rng.uniform(0, 10, (40, 2)),
        pd.DataFrame([MEASURES | {"hidden_effective_rank": 1.333 - 0.1 * s} for s in range(seeds)]),
    )


def planes(figure: Figure) -> list:
    return [axes for axes in figure.axes if axes.images]


@pytest.mark.parametrize("margin", [0.0, 0.1])
def test_the_square_is_around_the_middle_of_the_states(margin: float):
    left, right, bottom, top = square_around(np.array([[0.0, 5.0], [4.0, 7.0]]), margin)
    assert (right - left, top - bottom) == pytest.approx((4 * (1 + 2 * margin),) * 2)
    assert (left + right, bottom + top) == pytest.approx((4, 12))


def test_equal_states_have_a_square_too():
    left, right, bottom, top = square_around(np.ones((3, 2)), 0.0)
    assert (left, right, bottom, top) == (0.5, 1.5, 0.5, 1.5)


def test_each_method_is_a_column_with_its_inputs_above_its_states():
    panels = {"baseline": panel(), "manifold": panel(shift=5)}
    figure = draw_hidden(panels, "e, seed 3")
    drawn = planes(figure)
    assert [axes.get_title() for axes in drawn] == ["baseline", "manifold mixup", "", ""]
    assert [axes.get_ylabel() for axes in drawn] == ["input space", "", "hidden space", ""]
    maps = [panels[m].inputs for m in panels] + [panels[m].hidden for m in panels]
    for axes, expected in zip(drawn, maps, strict=True):
        assert np.array_equal(axes.images[0].get_array(), expected.probability)
        assert axes.images[0].get_extent() == list(expected.box)
        of_class_0, of_class_1 = axes.collections[-2:]
        for label, dots in enumerate((of_class_0, of_class_1)):
            assert np.array_equal(dots.get_offsets(), expected.points[expected.labels == label])
            assert np.array_equal(dots.get_facecolor(), [to_rgba(BINARY_COLOURS[label])])


def test_states_of_uniform_inputs_are_black_dots_below_the_others():
    shown = panel()
    _, below = planes(draw_hidden({"baseline": shown}, "t"))
    black = below.collections[0]
    assert np.array_equal(black.get_offsets(), shown.uniform)
    assert same_color(black.get_facecolor()[0], "black")
    left, right, bottom, top = shown.hidden.box
    assert below.get_xlim() == (left, right)
    assert below.get_ylim() == (bottom, top)


def test_the_box_on_which_measures_were_taken_is_marked():
    shown = panel()
    above, below = planes(draw_hidden({"baseline": shown}, "t"))
    assert not above.patches
    [frame] = below.patches
    low, high = shown.hidden.points.min(0), shown.hidden.points.max(0)
    assert frame.get_bbox().extents == pytest.approx([*low, *high])


def test_the_measures_stand_under_their_plane():
    above, below = planes(draw_hidden({"baseline": panel()}, "t"))
    assert above.get_xlabel() == "test accuracy 0.875\nunsure area 0.11\nboundary 2.2"
    assert below.get_xlabel() == (
        "effective rank 1.33\nfirst share 0.44\nunsure area 0.56\nboundary 6.7"
    )


@pytest.mark.parametrize(("n_methods", "join"), [(2, "; "), (5, "\n")])
def test_beside_the_drawn_seed_stand_mean_and_range_of_all(n_methods: int, join: str):
    figure = draw_hidden({f"m{i}": panel(seeds=3) for i in range(n_methods)}, "t")
    below = planes(figure)[-1]
    assert below.get_xlabel().startswith(f"effective rank 1.33{join}1.23 (1.13 to 1.33)\nfirst")
    assert "mean of all 3 (lowest to highest seed)" in figure.get_supxlabel()
    assert "mean of" not in draw_hidden({"baseline": panel()}, "t").get_supxlabel()


@pytest.mark.parametrize("n_methods", [1, 3, 4, 5])
def test_what_stands_under_a_plane_does_not_run_into_its_neighbours(n_methods: int):
    figure = draw_hidden({f"m{i}": panel(seeds=2) for i in range(n_methods)}, "t")
    figure.draw_without_rendering()
    for row in np.reshape(planes(figure), (2, n_methods)):
        extents = [axes.xaxis.label.get_window_extent() for axes in row]
        for left, right in itertools.pairwise(extents):
            assert left.x1 < right.x0


def test_title_and_caption_say_how_many_points_there_are():
    figure = draw_hidden({"baseline": panel(n=6), "manifold": panel(n=8)}, "e, seed 3")
    assert figure.get_suptitle() == "e, seed 3, 6 or 8 training points"
    assert "states of 40 inputs" in figure.get_supxlabel()


@pytest.mark.parametrize("n_methods", [1, 3, 5, 7])
def test_a_figure_is_as_wide_as_a_readme(n_methods: int):
    figure = draw_hidden({f"m{i}": panel() for i in range(n_methods)}, "t")
    assert figure.get_figwidth() == WIDTH


COLOURS = {"manifold": "#D55E00", "absent": "#ff0000", "baseline": "#000000"}


def singular_values(seeds: tuple[int, ...]) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {"method": m, "seed": s, "digit": c, "index": i, "value": rng.uniform()}
        for m in ("baseline", "manifold")
        for s in seeds
        for c in (0, 1)
        for i in (1, 2)
    )


def test_every_seed_of_a_class_has_a_filled_and_a_hollow_dot():
    table = singular_values((4, 0, 9))
    figure = draw_singular_values(table, COLOURS, "e")
    for digit, axes in enumerate(figure.axes):
        assert axes.get_title() == f"class {digit}"
        dots = iter(axes.collections)
        for row, method in enumerate(("manifold", "baseline")):
            for index, face in ((1, COLOURS[method]), (2, "white")):
                found = next(dots)
                chosen = (table["method"] == method) & (table["digit"] == digit)
                wanted = table[chosen & (table["index"] == index)]
                offsets = found.get_offsets()
                assert len(offsets) == 3
                assert list(offsets[:, 0]) == wanted["value"].tolist()
                assert set(offsets[:, 1]) == {row}
                assert same_color(found.get_facecolor()[0], face)
                assert same_color(found.get_edgecolor()[0], COLOURS[method])
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["manifold mixup", "baseline"]


@pytest.mark.parametrize(("seeds", "said"), [((7,), "one seed"), ((7, 8), "n = 2 seeds")])
def test_the_title_says_of_how_many_seeds(seeds: tuple[int, ...], said: str):
    title = draw_singular_values(singular_values(seeds), COLOURS, "e").get_suptitle()
    assert title.split("\n")[1].startswith(said)
