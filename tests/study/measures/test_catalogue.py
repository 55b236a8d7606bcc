"""Words of measures can stand by themselves, and say what the name says; figures are known."""

from pathlib import Path

import pandas as pd
import pytest

from study.inference.ledger import read_ledger
from study.measures.catalogue import MEASURES, find, label, said_in, seen_in, title
from study.measures.measure import Measure, after_layer, of_training
from study.report.kinds import KINDS

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
        ("train_effective_rank_after_1", "effective rank, train, after layer 1"),
        ("test_other_singular_values_scale_free_after_1",
         "sum of all singular values but the largest, scale-free, test, after layer 1"),
        ("test_first_over_others_raw_7_after_1",
         "first singular value over all others, class 7, raw, test, after layer 1"),
    ],
)  # fmt: skip
def test_words_of_a_metric(metric: str, words: str) -> None:
    assert label(metric) == words


@pytest.mark.parametrize("study", [".", "full"])
def test_every_metric_that_a_claim_asks_about_has_words_of_its_own(study: str) -> None:
    ledger = read_ledger(ROOT / study / "metrics/claims.csv")
    wordless = {"test_accuracy"}
    asked = {*ledger["metric"], *ledger["other_metric"]} - {"", *wordless}
    assert [metric for metric in asked if label(metric) == metric.replace("_", " ")] == []


@pytest.mark.parametrize("study", [".", "full"])
def test_no_two_metrics_of_an_experiment_have_the_same_words(study: str) -> None:
    runs = pd.read_csv(ROOT / study / "metrics/runs.csv")
    for _, rows in runs.groupby("experiment"):
        metrics = list(rows["metric"].unique())
        assert len({label(metric) for metric in metrics}) == len(metrics)


@pytest.mark.parametrize("study", [".", "full"])
def test_every_metric_that_a_study_has_is_of_one_measure(study: str) -> None:
    for metric in pd.read_csv(ROOT / study / "metrics/runs.csv")["metric"].unique():
        fitting = [measure.name for measure in MEASURES if measure.fits(metric)]
        assert len(fitting) == 1, f"{metric} is of {fitting}"


def test_figures_that_measures_name_are_of_a_kind_that_there_is() -> None:
    named = {kind for measure in MEASURES for kind in measure.seen_in}
    assert named <= set(KINDS)
    assert set(KINDS) - named <= {"spectra", "draws"}


def test_a_title_says_which_way_is_better_where_that_is_known() -> None:
    assert title("test_accuracy") == "test accuracy (more is better)"
    assert title("test_nll") == "test NLL, nats (less is better)"
    assert title("test_silhouette") == "silhouette, test"
    assert title("my_own_metric") == "my own metric"
    assert [find(metric).better for metric in ("test_nll", "test_accuracy", "own")] == [
        *("less", "more", ""),
    ]


def test_figures_draw_their_measures_in_the_order_of_the_catalogue() -> None:
    measured = ["test_effective_rank", "own", "train_nll", "test_accuracy", "test_hull_overlap"]
    assert seen_in("methods", measured) == ["test_accuracy", "train_nll", "test_effective_rank"]


def test_captions_say_two_measures_at_most_and_those_first_that_are_asked_about() -> None:
    measured = ["intrusion_auc", "intrusion_0", "intrusion_1", "test_accuracy"]
    assert said_in("intrusion", measured) == ["intrusion_0", "intrusion_auc"]
    assert said_in("intrusion", measured, {"intrusion_1"}) == ["intrusion_1", "intrusion_auc"]
    assert said_in("draws", measured) == []


def test_a_measure_is_said_only_where_it_is_seen() -> None:
    with pytest.raises(ValueError, match="m is said in methods, where it is not seen"):
        Measure("m", "words", said_in=("methods",))


def test_a_label_is_of_the_measures_own_metrics() -> None:
    measure = Measure(r"loss_([\d_]+)", "loss at {}", "nats")
    assert measure.label("loss_0_05") == "loss at 0.05, nats"
    with pytest.raises(ValueError, match="gain_1 is not loss"):
        measure.label("gain_1")


def test_measures_of_training_and_of_layers_stand_in_tables_only() -> None:
    drawn = Measure("test_m", "m, test", "nats", "less", ("methods",), ("methods",), "m: M", True)
    assert of_training([drawn]) == [Measure("train_m", "m, train", "nats", "less")]
    assert after_layer([drawn], 2) == [
        Measure("test_m_after_2", "m, test, after layer 2", "nats", "less")
    ]
