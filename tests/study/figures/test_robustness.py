"""The robustness figures show the numbers of the table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color

from study.figures.measured import draw_measured
from study.figures.robustness import draw_attacks, draw_deformations
from study.figures.style import save
from study.paths import RunKey
from study.summaries import summary_table
from study.tables import measures_table

COLOURS = {"manifold": "#D55E00", "baseline": "#000000", "absent": "#ff0000"}
SHIFT = {"baseline": 0.0, "manifold": 0.1}


def measures(seeds: int = 3, transfer: bool = True, shift: dict[str, float] = SHIFT):
    return measures_table(
        {
            RunKey("e", method, seed): {
                "attacked_samples": 200.0,
                "unattacked_accuracy": 0.8 + more + seed / 100,
                "fgsm_accuracy_0_1": 0.3 + more + seed / 100,
                "fgsm_accuracy_0_05": 0.5 + more + seed / 100,
                "pgd_accuracy_0_1": 0.1 + more,
                "pgd_missed_0_1": 0.0,
                **({"transfer_fgsm_accuracy_0_1": 0.4 + more} if transfer else {}),
                "deformed_samples": 1250.0,
                "undeformed_accuracy": 0.85 + more,
                "rotation_accuracy_20": 0.7 + more * (1 + seed) + seed / 100,
                "rotation_accuracy": 0.7,
                "shear_accuracy_28_6": 0.6 + more,
                "zoom_in_accuracy_0_6": 0.2 + more,
                "zoom_in_accuracy": 0.2 + more,
                "zoom_out_accuracy_1_4": 0.3 + more,
            }
            for method, more in shift.items()
            for seed in range(seeds)
        }
    )


def means(axes: Axes, colour: str) -> np.ndarray:
    (line,) = (line for line in axes.lines if same_color(line.get_color(), colour))
    return np.asarray(line.get_ydata())


def bars(axes: Axes, colour: str) -> list[tuple[float, float]]:
    (bars,) = (found for found in axes.collections if same_color(found.get_color()[0], colour))
    return [(low, high) for (_, low), (_, high) in bars.get_segments()]


def ticks(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_xticklabels()]


def test_lines_are_means_by_radius_from_the_clean_accuracy_on() -> None:
    figure = draw_attacks(measures(), COLOURS, "digits")
    titles = [axes.get_title(loc="left") for axes in figure.axes[:3]]
    assert titles == ["FGSM, one step", "PGD, many steps", "FGSM examples made for the baseline"]
    above, below = figure.axes[0], figure.axes[3]
    assert ticks(below) == ["0", "0.05", "0.1"]
    assert means(above, COLOURS["manifold"]) == pytest.approx([0.91, 0.61, 0.41])
    assert means(above, COLOURS["baseline"]) == pytest.approx([0.81, 0.51, 0.31])
    assert means(below, COLOURS["manifold"]) == pytest.approx([0.1, 0.1, 0.1])


def test_bars_reach_from_the_lowest_to_the_highest_seed_above_and_to_paired_differences() -> None:
    figure = draw_deformations(measures(), COLOURS, "digits")
    above, below = figure.axes[0], figure.axes[3]
    manifold, baseline = COLOURS["manifold"], COLOURS["baseline"]
    assert bars(above, baseline)[1] == pytest.approx((0.7, 0.72))
    assert bars(above, manifold)[1] == pytest.approx((0.8, 1.02))
    assert bars(below, manifold)[1] == pytest.approx((0.1, 0.3))
    assert means(below, baseline) == pytest.approx([0, 0])


def test_lines_stand_at_their_ticks_and_only_bars_beside_them() -> None:
    """Shifted along a steep curve, one line would look more robust than the same line elsewhere."""
    many = {f"m{place}": 0.01 * place for place in range(8)}
    figure = draw_attacks(measures(shift=many), dict.fromkeys(many, "#000000"), "digits")
    for axes in figure.axes:
        n_ticks = len(axes.get_xticks())
        assert all(list(line.get_xdata()) == list(range(n_ticks)) for line in axes.lines)
        shapes = {line.get_marker() for line in axes.lines}
        assert len(shapes) == 8
        beside = [bars.get_segments()[1][0][0] - 1 for bars in axes.collections]
        assert beside == sorted(set(beside))
        assert np.abs(beside).max() < 0.2


def test_zooms_stand_around_the_whole_width() -> None:
    figure = draw_deformations(measures(), COLOURS, "digits")
    assert [axes.get_title(loc="left") for axes in figure.axes[:3]] == [
        "turned",
        "sheared",
        "zoomed in and out",
    ]
    assert [ticks(axes) for axes in figure.axes[3:]] == [
        ["0", "±20"],
        ["0", "±28.6"],
        ["60%", "100%", "140%"],
    ]
    assert means(figure.axes[2], COLOURS["baseline"]) == pytest.approx([0.2, 0.85, 0.3])


def test_titles_say_how_many_seeds_and_samples() -> None:
    for draw, samples in ((draw_attacks, "200"), (draw_deformations, "1,250")):
        three = draw(measures(), COLOURS, "digits").get_suptitle()
        assert three.startswith("digits: ")
        assert f"n = 3 seeds, {samples} test images" in three
        assert three.endswith("mark: mean, bar beside it: lowest to highest seed")
        assert f"\none seed, {samples} test" in draw(measures(1), COLOURS, "d").get_suptitle()


def test_without_transfer_there_is_no_such_column() -> None:
    assert len(draw_attacks(measures(transfer=False), COLOURS, "t").axes) == 2 * 2


def test_without_a_baseline_there_is_no_row_of_differences() -> None:
    figure = draw_attacks(measures(shift={"manifold": 0.1}), COLOURS, "t")
    assert len(figure.axes) == 3
    assert ticks(figure.axes[1]) == ["0", "0.1"]


def test_the_legend_names_the_methods_that_are_there(tmp_path: Path) -> None:
    figure = draw_attacks(measures(), COLOURS, "t")
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["manifold mixup", "baseline"]
    save(figure, tmp_path / "attacks.png")
    assert (tmp_path / "attacks.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("kept", "drawn"),
    [("", ["attacks_e", "deformations_e"]), ("fgsm|attacked", ["attacks_e"]), ("none", [])],
)
def test_what_an_experiment_was_put_to_is_drawn(kept: str, drawn: list[str]) -> None:
    runs = measures()
    runs = runs[runs["metric"].str.contains(kept)]
    scores = {RunKey("e", method, seed): {"test_nll": 0.5} for method in SHIFT for seed in (0, 1)}
    runs = pd.concat([runs, measures_table(scores)])
    names = [name for name, _ in draw_measured("e", runs, summary_table(runs), COLOURS)]
    assert names == ["methods_e", *drawn]
