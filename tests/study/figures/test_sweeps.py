"""Figures of sweeps: over a parameter, and over eligible layers and alpha."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from study.figures.style import method_colours, save
from study.figures.sweeps import draw_eligible, draw_sweep, moved
from study.paths import RunKey
from study.summaries import summary_table
from study.tables import measures_table
from study.training.config import MethodConfig

NAMES = ("baseline", "input", "manifold")


def summaries(
    values: list[float], seeds: int = 3, experiments: tuple[str, ...] = ("e", "f")
) -> pd.DataFrame:
    """Baseline never moves; input moves in NLL only; manifold in all; nothing in experiment f."""
    tables = []
    for at in values:
        shift = {"e": at / 100, "f": 0.0}
        runs = {
            RunKey(name, method, seed): {
                "test_accuracy": 0.5 + seed / 10 + (method == "manifold") * shift[name],
                "test_nll": 1.0 + seed / 10 + (method != "baseline") * shift[name],
            }
            for name in experiments
            for method in NAMES
            for seed in range(seeds)
        }
        tables.append(summary_table(measures_table(runs)).assign(at=at))
    return pd.concat(tables)


def test_moved_is_what_the_parameter_changes() -> None:
    assert moved(summaries([1.0, 2.0])) == {("e", "input"), ("e", "manifold")}


def test_lines_where_the_parameter_counts_and_references_elsewhere() -> None:
    metrics = ["test_accuracy", "test_nll"]
    figure = draw_sweep(summaries([4.0, 1.0, 2.0]), "mixup.alpha", metrics, method_colours(NAMES))
    assert len(figure.axes) == 4
    accuracy_e, accuracy_f, nll_e, _ = figure.axes
    lines = {line.get_label(): line for line in accuracy_e.get_lines()}
    assert lines["manifold mixup"].get_xdata().tolist() == [1.0, 2.0, 4.0]
    assert lines["manifold mixup"].get_ydata() == pytest.approx([0.61, 0.62, 0.64])
    assert lines["baseline"].get_linestyle() == "--"
    # its accuracy stays, but the parameter does change it
    assert lines["input mixup"].get_linestyle() == "-"
    assert {line.get_linestyle() for line in accuracy_f.get_lines()} == {"--"}
    assert nll_e.get_title("left") == "e: test NLL, nats (less is better)"
    assert nll_e.get_xlabel() == "mixup.alpha"
    assert "n = 3 seeds" in figure.get_suptitle()
    (legend,) = figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == ["baseline", "input mixup", "manifold mixup"]


@pytest.mark.parametrize("experiments", [("e",), ("e", "f")])
def test_the_title_fits_the_figure(experiments: tuple[str, ...]) -> None:
    table = summaries([1.0, 2.0], experiments=experiments)
    param = "experiments.spirals.training.learning_rate"
    figure = draw_sweep(table, param, ["test_nll"], method_colours(NAMES))
    figure.draw_without_rendering()
    (title,) = figure.texts
    inside, width = title.get_window_extent(), figure.bbox.width
    assert 0 <= inside.x0 < inside.x1 <= width


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([0.1, 0.4, 2.0], "log"),
        ([1.0, 10.0], "linear"),
        ([0.0, 0.1, 20.0], "linear"),
        ([1.0, 2.0], "linear"),
        ([-1.0, 100.0], "linear"),
    ],
)
def test_axis_is_logarithmic_over_more_than_a_decade(values: list[float], scale: str) -> None:
    figure = draw_sweep(summaries(values), "p", ["test_nll"], method_colours(NAMES))
    assert {axes.get_xscale() for axes in figure.axes} == {scale}
    assert figure.axes[0].get_xticks().tolist() == values


def test_labels_of_the_axis_do_not_overlap() -> None:
    values = [0.3, 0.4, 0.7, 1.0, 2.0, 3.1]
    figure = draw_sweep(summaries(values), "p", ["test_nll"], method_colours(NAMES))
    figure.draw_without_rendering()
    labels = [label for label in figure.axes[0].get_xticklabels() if label.get_text()]
    assert [label.get_text() for label in labels] == ["0.3", "0.7", "1", "2", "3.1"]
    boxes = [label.get_window_extent() for label in labels]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_one_seed_and_a_metric_of_one_experiment(tmp_path) -> None:
    table = summaries([1.0, 2.0], seeds=1)
    table = table[(table["experiment"] == "e") | (table["metric"] == "test_nll")]
    metrics = ["test_accuracy", "test_nll"]
    figure = draw_sweep(table, "p", metrics, method_colours(NAMES))
    assert [axes.get_visible() for axes in figure.axes] == [True, False, True, True]
    assert "one seed" in figure.get_suptitle()
    save(figure, tmp_path / "sweep.png")
    assert (tmp_path / "sweep.png").stat().st_size > 1000


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
