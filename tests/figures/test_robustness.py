"""The robustness figures show the numbers of the table."""

import pandas as pd
import pytest
from matplotlib.colors import same_color

from mixup.analysis.tables import measures_table
from mixup.figures.robustness import draw_attacks, draw_deformations
from mixup.figures.style import save
from mixup.training.config import RunKey

COLOURS = {"manifold": "#D55E00", "baseline": "#000000", "absent": "#ff0000"}
SHIFT = {"baseline": 0.0, "manifold": 0.1}


def measures(seeds: int = 3, transfer: bool = True) -> pd.DataFrame:
    return measures_table(
        {
            RunKey("e", method, seed): {
                "samples": 1250.0,
                "clean_accuracy": 0.8 + shift + seed / 100,
                "fgsm_accuracy_0_1": 0.3 + shift + seed / 100,
                "fgsm_accuracy_0_05": 0.5 + shift + seed / 100,
                "pgd_accuracy_0_1": 0.1 + shift,
                "pgd_not_stronger_0_1": 0.0,
                **({"transfer_fgsm_accuracy_0_1": 0.4 + shift} if transfer else {}),
                "rotation_accuracy_20": 0.7 + shift + seed / 100,
                "shear_accuracy_28_6": 0.6 + shift,
                "zoom_accuracy_0_6": 0.2 + shift,
            }
            for method, shift in SHIFT.items()
            for seed in range(seeds)
        }
    )


def test_lines_are_means_by_radius_from_the_clean_accuracy_on() -> None:
    figure = draw_attacks(measures(), COLOURS, "digits")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["FGSM, one step", "PGD", "FGSM examples of the baseline"]
    manifold, baseline = figure.axes[0].get_lines()
    assert same_color(manifold.get_color(), COLOURS["manifold"])
    assert list(manifold.get_xdata()) == [0, 0.05, 0.1]
    assert manifold.get_ydata() == pytest.approx([0.91, 0.61, 0.41])
    assert baseline.get_ydata() == pytest.approx([0.81, 0.51, 0.31])


def test_the_band_reaches_from_the_lowest_to_the_highest_seed() -> None:
    band = draw_attacks(measures(), COLOURS, "digits").axes[0].collections[1]
    vertices = band.get_paths()[0].vertices
    assert sorted({y for x, y in vertices if x == 0.05}) == pytest.approx([0.5, 0.52])


def test_titles_say_how_many_seeds_and_samples() -> None:
    for draw in (draw_attacks, draw_deformations):
        assert "digits" in draw(measures(), COLOURS, "digits").get_suptitle()
        assert "n = 3 seeds, 1,250 test" in draw(measures(), COLOURS, "digits").get_suptitle()
        assert "\none seed, 1,250 test" in draw(measures(1), COLOURS, "digits").get_suptitle()


def test_without_transfer_there_is_no_such_panel() -> None:
    assert len(draw_attacks(measures(transfer=False), COLOURS, "t").axes) == 2


def test_each_deformation_is_a_row_of_seeds_and_means(tmp_path) -> None:
    figure = draw_deformations(measures(), COLOURS, "t")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "as in training",
        "turned within ±20 degrees",
        "sheared within ±28.6 degrees",
        "60% of the width shown",
    ]
    turned = [dots for dots in axes.collections if round(dots.get_offsets()[0, 1]) == 1]
    assert turned[0].get_offsets()[:, 0] == pytest.approx([0.8, 0.81, 0.82])
    assert same_color(turned[1].get_facecolor()[0][:3], COLOURS["baseline"])
    assert turned[1].get_offsets()[:, 0] == pytest.approx([0.7, 0.71, 0.72])
    means = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"
             and len(line.get_xdata()) == 1]  # fmt: skip
    assert means[2:4] == pytest.approx([0.81, 0.71])
    save(figure, tmp_path / "rows.png")
    assert (tmp_path / "rows.png").stat().st_size > 1000
