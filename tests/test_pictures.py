"""docs/pictures.md: what it says of the pictures is so in the tables of the default study."""

from pathlib import Path

import pandas as pd

METRICS = Path(__file__).parents[1] / "metrics"


def means(experiment: str, metric: str) -> pd.Series:
    summary = pd.read_csv(METRICS / "summary.csv")
    rows = summary[(summary["experiment"] == experiment) & (summary["metric"] == metric)]
    return rows.set_index("method")["mean"]


def test_the_baseline_is_the_surest_and_input_mixup_fits_worst() -> None:
    assert means("spirals", "low_confidence_area").idxmin() == "baseline"
    assert means("spirals", "train_accuracy").idxmin() == "input"
    assert means("spirals", "test_accuracy").idxmin() == "input"


def test_the_baseline_overfits() -> None:
    curves = pd.read_csv(METRICS / "curves.csv")
    of = curves[(curves["experiment"] == "spirals") & (curves["method"] == "baseline")]
    train, test = (of.loc[of["quantity"] == f"{on}_loss", "mean"] for on in ("train", "test"))
    assert train.iloc[-1] < 0.001
    assert test.iloc[-1] > 2 * test.min()


def test_classes_are_narrower_and_whether_they_take_less_room_is_open() -> None:
    narrow = means("mnist_2d", "test_scatter_ratio")
    assert narrow["manifold"] > narrow["baseline"]
    ledger = pd.read_csv(METRICS / "claims.csv").set_index("id")
    assert ledger.loc["S1-margin-area", "verdict"] == "inconclusive"


def test_the_first_raw_value_is_mostly_the_distance_from_the_origin() -> None:
    raw, centred = (
        means("mnist_12d", f"test_first_singular_value_{of}") for of in ("raw", "centred")
    )
    assert (raw > 2 * centred).all()
