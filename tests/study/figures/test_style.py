"""The look shared by all figures: colours, scales, saving."""

from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from study.figures.style import (
    DPI,
    PROBABILITY_MAP,
    PROBABILITY_NORM,
    RANGE,
    class_colour,
    legend_below,
    log_scale,
    method_colours,
    method_label,
    new_figure,
    save,
    seeds_said,
    set_heading,
    shared_panels,
    styled,
)

STUDY = ["baseline", "weight_decay", "dropout", "input", "hidden", "manifold"]


def a_figure() -> Figure:
    with styled():
        figure = new_figure(3, 2)
        axes = figure.add_subplot()
        axes.plot([1, 2, 3], [2, 1, 4], label="a line")
        axes.legend()
    return figure


# Machado, Oliveira and Fernandes 2009: what a person without green or red cones sees.
DEUTERANOPIA = [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
PROTANOPIA = [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]


@pytest.mark.parametrize("sight", [np.eye(3), DEUTERANOPIA, PROTANOPIA])
def test_the_methods_of_the_study_can_be_told_apart(sight):
    seen = {
        method: np.asarray(sight) @ np.square(to_rgb(colour))  # about linear light
        for method, colour in method_colours(STUDY).items()
    }
    for one, other in combinations(STUDY, 2):
        assert np.abs(np.sqrt(seen[one].clip(0)) - np.sqrt(seen[other].clip(0))).max() > 0.1


def test_a_method_keeps_its_colour_whatever_else_is_compared():
    alone = method_colours(["manifold"])
    assert method_colours(STUDY)["manifold"] == alone["manifold"]
    assert method_colours(["mine", *reversed(STUDY)])["manifold"] == alone["manifold"]


def test_other_methods_get_colours_of_their_own():
    colours = method_colours([*STUDY, "mine", "yours", "mine", "theirs"])
    assert list(colours) == [*STUDY, "mine", "yours", "theirs"]
    assert len(set(colours.values())) == 9


def test_more_methods_than_colours_is_no_error():
    assert len(method_colours(f"method{i}" for i in range(40))) == 40


def test_labels():
    assert method_label("manifold") == "manifold mixup"
    assert method_label("my_own_method") == "my own method"


def test_ten_classes_have_ten_colours():
    assert len({class_colour(label) for label in range(10)}) == 10
    assert class_colour(13) == class_colour(3)


def test_an_undecided_probability_is_white_and_both_sides_are_equally_long():
    for probability in (0, 0.25, 0.5, 0.75, 1):
        assert PROBABILITY_NORM(probability) == probability
    blue, white, red = matplotlib.colormaps[PROBABILITY_MAP]([0.1, 0.5, 0.9])
    assert min(white[:3]) > 0.95
    assert blue[2] > blue[0]
    assert red[0] > red[2]


def test_equal_figures_give_equal_bytes_whatever_matplotlibrc_says(tmp_path: Path):
    save(a_figure(), tmp_path / "one.png")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "yellow", "savefig.dpi": 40}):
        save(a_figure(), tmp_path / "two.png")
        assert matplotlib.rcParams["font.size"] == 20
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_the_file_is_a_small_png_without_a_version_or_a_date(tmp_path: Path):
    path = tmp_path / "new folder" / "one.png"
    save(a_figure(), path)
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.size == (3 * DPI, 2 * DPI)
        assert set(picture.info) <= {"dpi"}
        assert len(set(picture.convert("RGB").get_flattened_data())) > 10
    assert [file.name for file in path.parent.iterdir()] == ["one.png"]


def test_a_log_scale_fits_the_positive_finite_values():
    axes = new_figure(3, 2).add_subplot()
    log_scale(axes, "y", [0.0, 0.01, 2.0, float("inf"), float("nan")], margin=2)
    assert axes.get_yscale() == "log"
    assert axes.get_ylim() == pytest.approx((0.005, 4))
    assert axes.get_xscale() == "linear"
    assert axes.yaxis.get_major_formatter()(0.01) == "0.01"


@pytest.mark.parametrize(
    ("value", "label"),
    [(0.01, "0.01"), (300, "300"), (1e-5, "$10^{-5}$"), (2e-7, r"$2 \cdot 10^{-7}$")],
)
def test_ticks_of_a_log_scale_are_plain_numbers_or_powers_of_ten(value: float, label: str):
    axes = new_figure(3, 2).add_subplot()
    log_scale(axes, "x", [value, 3 * value])
    assert axes.xaxis.get_major_formatter()(value) == label


@pytest.mark.parametrize(
    ("n", "said"), [(1, "one seed"), (4, "n = 4 seeds; bar: lowest to highest seed")]
)
def test_seeds_and_their_spread_are_said_in_the_same_words(n: int, said: str):
    assert seeds_said(n, f"bar: {RANGE}") == said


@pytest.mark.parametrize(("low", "high"), [(1.0, 100.0), (0.02, 0.5), (3e-9, 4e4), (2.0, 2.1)])
def test_a_log_scale_has_all_ticks_within_it_and_none_beyond(low: float, high: float):
    axes, plain = Figure().subplots(1, 2)
    log_scale(axes, "x", [low, high], margin=1)
    plain.set(xscale="log", xlim=(low, high))
    shown = {tick for tick in plain.get_xticks(minor=True) if low <= tick <= high}
    assert shown <= {*axes.get_xticks(), *axes.get_xticks(minor=True)}
    for ticks in (axes.get_xticks(), axes.get_xticks(minor=True)):
        assert all(low * (1 - 1e-6) < tick < high * (1 + 1e-6) for tick in ticks)


def test_the_ends_of_a_log_scale_can_be_ticks():
    axes = Figure().subplots()
    log_scale(axes, "y", [1.0, 1000.0], margin=1)
    assert {1, 10, 100, 1000} <= set(axes.get_yticks())


def test_panels_and_headings_that_cost_less_are_where_matplotlib_puts_them():
    places = []
    for cheap in (True, False):
        figure = new_figure(6, 4)
        panels = (
            shared_panels(figure, 2, 3)
            if cheap
            else figure.subplots(2, 3, sharex=True, sharey=True, squeeze=False)
        )
        for n, axes in enumerate(panels.flat):
            axes.plot([0, 1000 * n], [0, n])
            (set_heading if cheap else Axes.set_title)(axes, f"panel {n}", loc="left")
        panels[1, 2].set_visible(False)
        panels[0, 0].set_ylabel("height")
        panels[1, 0].set_xlabel("width")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        places.append(np.asarray(canvas.buffer_rgba()).copy())
    assert (places[0] == places[1]).all()


def test_a_log_scale_of_nothing_positive_stays_linear():
    axes = new_figure(3, 2).add_subplot()
    log_scale(axes, "x", [0.0, -1.0])
    assert axes.get_xscale() == "linear"


@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"], [f"a long name {i}" for i in range(8)]])
def test_a_legend_below_lies_within_its_figure_in_as_few_rows_as_that_takes(
    names: list[str],
) -> None:
    with styled():
        figure = new_figure(6, 4)
        axes = figure.add_subplot()
        lines = [axes.plot([0, 1], [i, i])[0] for i in range(len(names))]
        legend_below(figure, lines, names)
        FigureCanvasAgg(figure).draw()
    box = figure.legends[0].get_window_extent()
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    rows = {round(text.get_window_extent().y0) for text in figure.legends[0].get_texts()}
    assert len(rows) == (1 if len(names) < 8 else 2)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names
