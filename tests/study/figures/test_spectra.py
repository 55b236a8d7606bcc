"""Spectra per class, checked against means, minima and maxima taken one value at a time."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color

from study.figures.spectra import draw_spectra

COLOURS = {"manifold": "#D55E00", "baseline": "#000000", "absent": "#ff0000"}
INDICES = [1, 2, 3, 4]


def spectra(n_classes: int, seeds: tuple[int, ...] = (0, 5, 9)) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {"method": method, "seed": seed, "digit": digit, "index": index, "value": value}
        for method in ("baseline", "manifold")
        for seed in seeds
        for digit in range(n_classes)
        for index, value in zip(INDICES, np.sort(rng.uniform(0.01, 50, 4))[::-1], strict=True)
    )


def test_every_class_has_a_panel_with_mean_and_band_of_each_method():
    table = spectra(10)
    of_key: dict[tuple, list[float]] = {}
    for row in table.to_dict("records"):
        of_key.setdefault((row["digit"], row["method"], row["index"]), []).append(row["value"])
    figure = draw_spectra(table, COLOURS, "centred", "t")
    assert [axes.get_title() for axes in figure.axes] == [f"class {digit}" for digit in range(10)]
    for digit, axes in enumerate(figure.axes):
        both = zip(("manifold", "baseline"), axes.lines, axes.collections, strict=True)
        for method, line, band in both:
            assert same_color(line.get_color(), COLOURS[method])
            assert list(line.get_xdata()) == INDICES
            vertices = band.get_paths()[0].vertices
            for index, mean in zip(INDICES, line.get_ydata(), strict=True):
                values = of_key[digit, method, index]
                assert len(values) == 3
                assert mean == pytest.approx(sum(values) / 3)
                of_band = vertices[vertices[:, 0] == index, 1]
                assert of_band.min() == pytest.approx(min(values))
                assert of_band.max() == pytest.approx(max(values))


def test_all_classes_share_one_logarithmic_scale():
    table = spectra(10)
    figure = draw_spectra(table, COLOURS, "raw", "t")
    low, high = figure.axes[0].get_ylim()
    assert low < table["value"].min() < table["value"].max() < high
    for axes in figure.axes:
        assert axes.get_yscale() == "log"
        assert axes.get_ylim() == (low, high)


def test_singular_values_of_zero_are_no_error():
    table = spectra(10)
    table.loc[table["index"] == 4, "value"] = 0.0
    figure = draw_spectra(table, COLOURS, "raw", "t")
    figure.draw_without_rendering()
    assert figure.axes[0].get_ylim()[0] > 0


@pytest.mark.parametrize(("n_classes", "n_hidden"), [(2, 0), (7, 3)])
def test_fewer_classes(n_classes: int, n_hidden: int):
    figure = draw_spectra(spectra(n_classes), COLOURS, "raw", "t")
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in shown] == [f"class {i}" for i in range(n_classes)]
    assert len(figure.axes) - len(shown) == n_hidden


@pytest.mark.parametrize(
    ("scaling", "words"),
    [
        ("raw", "distance from the origin"),
        ("centred", "class mean subtracted"),
        ("scale_free", "total spread"),
    ],
)
def test_the_title_says_which_scaling_and_how_many_seeds(scaling: str, words: str):
    title = draw_spectra(spectra(2), COLOURS, scaling, "mnist_12d, test data").get_suptitle()
    assert "mnist_12d, test data" in title
    assert words in title
    assert "n = 3 seeds; line: mean, band: lowest to highest seed" in title
    one = draw_spectra(spectra(2, seeds=(4,)), COLOURS, scaling, "t").get_suptitle()
    assert one.endswith("one seed")
