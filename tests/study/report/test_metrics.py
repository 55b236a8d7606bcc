"""Words for metrics can stand by themselves, and say what the name says."""

from pathlib import Path

import pandas as pd
import pytest

from mixup.study.inference.ledger import read_ledger
from mixup.study.report.metrics import metric_label

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("test_accuracy", "test accuracy"),
        ("my_own_metric", "my own metric"),
        ("found_after_1", "found after 1"),
        ("fgsm_accuracy_0_05", "accuracy under FGSM of radius 0.05"),
        ("transfer_fgsm_accuracy_0_05", "accuracy on the baseline's FGSM examples of radius 0.05"),
        ("rotation_accuracy_20", "accuracy on images turned within ±20°"),
        ("zoom_in_accuracy_0_6", "accuracy on images zoomed in to 0.6 of the width"),
        ("intrusion_3", "share of mixed states that intrude, k = 3"),
        ("test_effective_rank", "effective rank, test"),
        ("train_effective_rank_after_2", "effective rank, train, after layer 2"),
        ("test_other_singular_values_scale_free_after_1",
         "sum of all singular values but the largest, scale-free, test, after layer 1"),
        ("test_first_over_others_raw_7_after_1",
         "first singular value over all others, class 7, raw, test, after layer 1"),
    ],
)  # fmt: skip
def test_words_of_a_metric(metric: str, words: str) -> None:
    assert metric_label(metric) == words


@pytest.mark.parametrize("study", [".", "full"])
def test_every_metric_that_a_claim_asks_about_has_words_of_its_own(study: str) -> None:
    ledger = read_ledger(ROOT / study / "metrics/claims.csv")
    wordless = {"test_accuracy"}
    asked = {*ledger["metric"], *ledger["other_metric"]} - {"", *wordless}
    assert [metric for metric in asked if metric_label(metric) == metric.replace("_", " ")] == []


@pytest.mark.parametrize("study", [".", "full"])
def test_no_two_metrics_of_an_experiment_have_the_same_words(study: str) -> None:
    runs = pd.read_csv(ROOT / study / "metrics/runs.csv")
    for _, rows in runs.groupby("experiment"):
        metrics = list(rows["metric"].unique())
        assert len({metric_label(metric) for metric in metrics}) == len(metrics)
