"""The sweep figure: which methods are lines, which are references, and the axes."""

import pandas as pd
import pytest

from study.figures.style import method_colours, save
from study.figures.sweep import draw_sweep, moved
from study.paths import RunKey
from study.summaries.summary import summary_table
from study.tables import measures_table

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


def test_one_seed_and_a_metric_of_one_experiment(tmp_path) -> None:
    table = summaries([1.0, 2.0], seeds=1)
    table = table[(table["experiment"] == "e") | (table["metric"] == "test_nll")]
    metrics = ["test_accuracy", "test_nll"]
    figure = draw_sweep(table, "p", metrics, method_colours(NAMES))
    assert [axes.get_visible() for axes in figure.axes] == [True, False, True, True]
    assert "one seed" in figure.get_suptitle()
    save(figure, tmp_path / "sweep.png")
    assert (tmp_path / "sweep.png").stat().st_size > 1000
