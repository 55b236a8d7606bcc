"""The figures of reliability, allowances and intrusion show the numbers they are given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.markers import MarkerStyle

from study.figures.allowances import FEWEST, draw_allowances, draw_reliability
from study.figures.intrusion import draw_intrusion
from study.measures.allowances import SCORES_WITH_ALLOWANCES
from study.paths import RunKey
from study.tables import measures_table

COLOURS = {"baseline": "#000000", "manifold": "#D55E00"}
METRICS = [metric for metrics in SCORES_WITH_ALLOWANCES.values() for metric in metrics.values()]


def runs(seeds: int, **metrics: float) -> pd.DataFrame:
    """Measures that grow with the method by 0.2 and with the seed by 0.02."""
    return measures_table(
        {
            RunKey("e", method, seed): {
                name: value + 0.2 * place + 0.02 * seed for name, value in metrics.items()
            }
            for place, method in enumerate(COLOURS)
            for seed in range(seeds)
        }
    )


def bins(seeds: int) -> pd.DataFrame:
    rows = []
    for method in COLOURS:
        for seed in range(seeds):
            for scaling, shift in (("none", 0.1), ("temperature", 0.0)):
                rows += [
                    (method, seed, scaling, 8, 0.5, 0.4 + shift, 30 + 10 * seed),
                    (method, seed, scaling, 15, 0.95, 0.85 + shift + 0.02 * seed, 70 - 10 * seed),
                    (method, seed, scaling, 3, 0.2, 1.0, 1),
                ]
    names = ["method", "seed", "scaling", "bin", "confidence", "accuracy", "count"]
    return pd.DataFrame(rows, columns=pd.Index(names))


@pytest.mark.parametrize("seeds", [1, 3])
def test_reliability_pools_the_points_of_the_seeds(seeds: int) -> None:
    of_runs = runs(seeds, temperature=1.5, test_ece=0.1, tempered_test_ece=0.05)
    figure = draw_reliability(bins(seeds), of_runs, COLOURS, "e")
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == 2
    middle = (seeds - 1) / 2
    ece, after = (value + 0.2 + 0.02 * middle for value in (0.1, 0.05))
    assert f"ECE {ece:.3f} to {after:.3f}" in panels[1].get_title(loc="left")
    _, before, tempered = panels[1].lines
    assert (before.get_linestyle(), tempered.get_linestyle()) == ("--", "-")
    counts = np.array([70 - 10 * seed for seed in range(seeds)])
    hits = (0.85 + 0.02 * np.arange(seeds)) * counts
    # the bin of one point a seed is too small for the line, but has its dots
    assert seeds < FEWEST
    assert tempered.get_xdata() == pytest.approx([0.5, 0.95])
    assert tempered.get_ydata() == pytest.approx([0.4, hits.sum() / counts.sum()])
    assert before.get_ydata() == pytest.approx([0.5, 0.1 + hits.sum() / counts.sum()])
    dots = panels[1].collections[1]
    assert len(dots.get_offsets()) == 3 * seeds
    sizes = dots.get_sizes()
    assert sizes[1] / sizes[0] == pytest.approx(70 / 30)
    said = "one seed" if seeds == 1 else f"n = {seeds} seeds"
    assert f"\n{said} of 101 test points" in figure.get_suptitle()


def test_marks_of_single_seeds_differ_in_shape_before_and_after_scaling() -> None:
    of_runs = runs(2, temperature=1.5, test_ece=0.1, tempered_test_ece=0.05)
    before, after = draw_reliability(bins(2), of_runs, COLOURS, "e").axes[0].collections
    shapes = [MarkerStyle(marker) for marker in "xo"]
    for dots, shape in zip((before, after), shapes, strict=True):
        expected = shape.get_path().transformed(shape.get_transform()).vertices
        assert np.allclose(dots.get_paths()[0].vertices, expected)
        assert np.sqrt(dots.get_sizes().min()) > 3  # points wide


@pytest.mark.parametrize("seeds", [1, 3])
def test_allowances_show_every_seed_and_the_mean(seeds: int) -> None:
    metrics = {metric: 0.1 + 0.05 * place for place, metric in enumerate(METRICS)}
    figure = draw_allowances(runs(seeds, **metrics), COLOURS, "e")
    for axes, of_score in zip(figure.axes, SCORES_WITH_ALLOWANCES.values(), strict=True):
        assert len(axes.lines) == len(axes.collections) == 2 * len(of_score)
        middle = 0.02 * (seeds - 1) / 2
        means = [metrics[name] + 0.2 * p + middle for p in (0, 1) for name in of_score.values()]
        assert [line.get_xdata()[0] for line in axes.lines] == pytest.approx(means)
        assert all(len(dots.get_offsets()) == seeds for dots in axes.collections)
        rows = [line.get_ydata()[0] for line in axes.lines]
        assert rows == sorted(rows)
        assert [round(row) for row in rows] == [0] * len(of_score) + [1] * len(of_score)
    assert ("one seed" if seeds == 1 else f"n = {seeds} seeds") in figure.get_suptitle()


def test_a_score_over_a_decade_is_logarithmic() -> None:
    table = runs(3, **dict.fromkeys(METRICS, 0.02))
    nll, *_ = draw_allowances(table, COLOURS, "e").axes
    assert nll.get_xscale() == "log"
    assert nll.get_xlabel().endswith("logarithmic")


def test_intrusion_is_drawn_by_layer_and_missing_errors_are_said() -> None:
    layers = {f"intrusion{o}_{k}": 0.3 - 0.02 * k for o in ("", "_others") for k in range(11)}
    table = runs(3, **layers, intrusion_auc=0.7)
    of_one = (table["metric"] == "intrusion_auc") & (table["method"] == "manifold")
    table.loc[of_one & (table["seed"] > 0), "value"] = np.nan
    figure = draw_intrusion(table, COLOURS, "e")
    first, others, errors = figure.axes
    for axes in (first, others):
        baseline, manifold = axes.lines
        assert baseline.get_xdata().tolist() == list(range(11))
        assert baseline.get_ydata() == pytest.approx([0.32 - 0.02 * k for k in range(11)])
        assert manifold.get_ydata() == pytest.approx([0.52 - 0.02 * k for k in range(11)])
        assert all(len(dots.get_offsets()) == 3 * 11 for dots in axes.collections)
    texts = [text.get_text() for text in errors.texts]
    assert texts == ["errors on 1 of 3 seeds"]
    means = [line.get_xdata()[0] for line in errors.lines[:2]]
    assert means == pytest.approx([0.72, 0.9])
    assert "n = 3 seeds" in figure.get_suptitle()
