"""Spectra per class, checked against means, minima and maxima taken one value at a time."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color

from mixup.figures.spectra import draw_spectra

COLOURS = {"manifold": "#D55E00", "baseline": "#000000", "absent": "#ff0000"}
INDICES = [1, 2, 3, 4]


def spectra(digits: range, seeds: tuple[int, ...] = (0, 5, 9)) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {"method": method, "seed": seed, "digit": digit, "index": index, "value": value}
        for method in ("baseline", "manifold")
        for seed in seeds
        for digit in digits
        for index, value in zip(INDICES, np.sort(rng.uniform(0.01, 50, 4))[::-1], strict=True)
    )


def test_every_class_has_a_panel_with_mean_and_band_of_each_method():
    table = spectra(range(10))
    figure = draw_spectra(table, COLOURS, "centred", "t")
    assert [axes.get_title() for axes in figure.axes] == [f"class {digit}" for digit in range(10)]
    for digit, axes in enumerate(figure.axes):
        of_method = zip(("manifold", "baseline"), axes.lines, axes.collections, strict=True)
        for method, line, band in of_method:
            assert same_color(line.get_color(), COLOURS[method])
            assert list(line.get_xdata()) == INDICES
            vertices = band.get_paths()[0].vertices
            for index, y in zip(INDICES, line.get_ydata(), strict=True):
                values = [
                    row.value
                    for row in table.itertuples()
                    if (row.digit, row.method, row.index_) == (digit, method, index)
                ] if hasattr(table, "index_") else list(
                    table[
                        (table["digit"] == digit)
                        & (table["method"] == method)
                        & (table["index"] == index)
                    ]["value"]
                )
                assert len(values) == 3
                assert y == pytest.approx(sum(values) / 3)
                of_band = vertices[vertices[:, 0] == index, 1]
                assert of_band.min() == pytest.approx(min(values))
                assert of_band.max() == pytest.approx(max(values))
