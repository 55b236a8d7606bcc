import pandas as pd
import pytest

from mixup.analysis.summary import summarise
from mixup.analysis.tables import measures_table
from mixup.training.config import RunKey
from stages.show_results import results_text


def summary(**values: list[float]) -> pd.DataFrame:
    """Test NLL of methods of one experiment for seeds 0, 1, ..."""
    return summarise(
        measures_table(
            {
                RunKey("spirals", method, seed): {"test_nll": value, "train_nll": 77.0}
                for method, of_method in values.items()
                for seed, value in enumerate(of_method)
            }
        )
    )


def lines(table: pd.DataFrame) -> dict[str, str]:
    """Each method's line, from the mean on, with single spaces."""
    rows = results_text(table).splitlines()[1 : 1 + table["method"].nunique()]
    cells = [line.removeprefix("  test NLL (nats)").split() for line in rows]
    return {method: " ".join(rest) for method, *rest in cells}


def test_shows_means_and_paired_differences_in_words():
    baseline = [1.0, 2.0, 3.0]
    found = lines(
        summary(
            baseline=baseline,
            better=[0.5, 1.4, 2.6],
            worse=[1.5, 2.6, 3.4],
            unclear=[1.3, 1.8, 3.1],
        )
    )
    # The 97.5 % t quantile for two degrees of freedom is 4.3027.
    assert found["baseline"] == "2.0 ± 2.5"
    # Differences -.5, -.6, -.4: mean -.5, half width 4.3027 * .1 / sqrt(3) = .248.
    assert found["better"] == "1.5 ± 2.6 lower by 0.50 (0.25 to 0.75)"
    assert found["worse"] == "2.5 ± 2.4 higher by 0.50 (0.25 to 0.75)"
    # Differences .3, -.2, .1: mean .0667, half width 4.3027 * .2517 / sqrt(3) = .625.
    assert found["unclear"] == "2.1 ± 2.3 not clearly different (-0.6 to +0.7)"


def test_one_seed_has_no_intervals():
    table = summary(baseline=[0.123456], other=[0.2])
    assert results_text(table).startswith("spirals: 1 seed\n")
    assert lines(table) == {"baseline": "0.1235", "other": "0.2 higher than baseline by 0.0765"}


def test_equal_runs_are_not_called_different():
    found = lines(summary(baseline=[0.5, 0.5], other=[0.5, 0.5]))
    assert found["other"].startswith("0.5 not clearly different")


def test_large_numbers_have_no_decimals():
    found = lines(summary(baseline=[1000.0, 3000.0, 2000.0]))
    assert found["baseline"] == "2000 ± 2484"


def test_shows_headlines_only_and_where_the_rest_is():
    text = results_text(summary(baseline=[1.0, 2.0]))
    assert "77" not in text
    assert "train" not in text
    for place in ("figures/", "metrics/summary.csv", "README.md"):
        assert place in text


@pytest.mark.parametrize("size", [1e-7, 1.0, 1e5])
def test_fits_in_100_columns(size: float):
    metrics = [
        *("test_accuracy", "test_nll", "low_confidence_area", "test_scatter_ratio"),
        *("test_hull_coverage", "test_core_hull_coverage", "test_first_singular_value_raw"),
        "test_first_singular_value_scale_free",
    ]
    table = summarise(
        measures_table(
            {
                RunKey("mnist_12d", method, seed): dict.fromkeys(metrics, size * value * (seed + 1))
                for method, value in (("baseline", 1.0), ("weight_decay", 1.7), ("manifold", -1.0))
                for seed in range(5)
            }
        )
    )
    text = results_text(table)
    assert all(label in text for label in ("test accuracy", "area of class hulls", "scale-free"))
    assert max(map(len, text.splitlines())) <= 100
