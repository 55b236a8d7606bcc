"""Early stopping, temperature scaling of a run, and both against the baseline: plain loops."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from study.data.dataset import Dataset
from study.errors import StudyError
from study.measures.allowances import (
    AGAINST_BASELINE,
    SCORES_WITH_ALLOWANCES,
    against_baseline,
    applies,
    calibrate,
    calibration_measures,
    early_stopping_measures,
    reliability_table,
    reliability_tables,
)
from study.measures.temperature import fit_temperature
from study.paths import RunKey
from study.tables import measures_table
from study.training.net import build_mlp
from study.training.run import Run
from study.training.scores import accuracy, ece, nll
from tests.study.measures.test_temperature import drawn, softmax
from tests.training import run_config, with_bottleneck


@pytest.mark.parametrize(("fraction", "are_measured"), [(0.0, False), (0.25, True)])
def test_allowances_need_validation_data(fraction: float, are_measured: bool) -> None:
    experiment = with_bottleneck(None, validation_fraction=fraction)
    assert applies(RunKey("e", "baseline", 0), experiment) is are_measured


class TestReliability:
    def test_bins_are_those_of_a_plain_loop(self):
        logits, labels = drawn(n=300)
        p = softmax(logits)
        expected = []
        for bin_ in range(1, 16):
            inside = [i for i in range(300) if (bin_ - 1) / 15 < p[i].max() <= bin_ / 15]
            if inside:
                confidence = sum(p[i].max() for i in inside) / len(inside)
                hits = sum(int(p[i].argmax() == labels[i]) for i in inside) / len(inside)
                expected.append([bin_, confidence, hits, len(inside)])
        table = reliability_table(p, labels)
        assert list(table) == ["bin", "confidence", "accuracy", "count"]
        np.testing.assert_allclose(table.to_numpy(float), expected)

    def test_many_classes_can_have_a_confidence_of_the_first_bin(self):
        even = np.full((3, 20), 1 / 20)
        assert reliability_table(even, np.zeros(3, int))["bin"].tolist() == [1]

    def test_its_gaps_add_up_to_the_calibration_error(self):
        logits, labels = drawn(scale=3.0)
        p = softmax(logits)
        table = reliability_table(p, labels)
        gaps = table["count"] * (table["accuracy"] - table["confidence"]).abs()
        assert gaps.sum() / table["count"].sum() == pytest.approx(ece(p, labels))


class TestEarlyStopping:
    HISTORY = pd.DataFrame(
        {
            "step": [10, 20, 30, 40],
            "validation_loss": [0.9, 0.4, 0.4, 0.6],
            "test_loss": [0.8, 0.5, 0.3, 0.2],
            "test_accuracy": [0.6, 0.7, 0.8, 0.9],
            "test_ece": [0.08, 0.06, 0.04, 0.02],
        }
    )

    def test_validation_data_choose_and_the_first_of_equals_counts(self):
        assert early_stopping_measures(self.HISTORY) == {
            "stopped_step": 20,
            "stopped_test_nll": 0.5,
            "stopped_test_ece": 0.06,
            "stopped_test_accuracy": 0.7,
        }

    def test_rows_go_by_their_place_and_not_by_their_index(self):
        turned = self.HISTORY.iloc[::-1]
        assert early_stopping_measures(turned)["stopped_step"] == 30

    def test_a_history_without_validation_is_refused(self):
        with pytest.raises(ValueError, match="needs validation losses"):
            early_stopping_measures(self.HISTORY.assign(validation_loss=np.nan))


def made(validation_fraction: float = 0.5) -> tuple[Run, Dataset]:
    """Make an untrained net whose logits are far too large."""
    recipe = {"test_fraction": 0.25, "batch_size": 4, "steps": 1, "learning_rate": 0.1}
    recipe |= {"evaluations": 1, "validation_fraction": validation_fraction}
    config = run_config("baseline", {}, 3, {"width": 8, "depth": 1, "negative_slope": 0.2}, recipe)
    net = build_mlp(config, 2, 3).eval()
    with torch.no_grad():
        net.classifier.weight.mul_(50)
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(240, 2)).astype(np.float32)
    no_official_test = np.zeros(240, dtype=bool)
    data = Dataset(inputs, rng.integers(3, size=240), np.arange(240), no_official_test)
    return Run(Path("runs/e/m/3"), config, net), data


class TestCalibrate:
    def test_the_temperature_is_that_of_the_validation_data_alone(self):
        run, data = made()
        found = calibrate(run, data)
        split = run.split(data)
        logits = run.net(split.validation_inputs).detach().double().numpy()
        labels = split.validation_labels.numpy()
        assert found.temperature == pytest.approx(fit_temperature(softmax(logits), labels))
        assert found.temperature > 1
        with torch.no_grad():
            test = run.net(split.test_inputs).double().numpy()
        np.testing.assert_allclose(found.tempered, softmax(test / found.temperature), atol=1e-9)
        assert (found.labels == split.test_labels.numpy()).all()
        measures = calibration_measures(found)
        assert list(measures) == [
            *("temperature", "tempered_test_nll", "tempered_test_ece", "tempered_test_brier"),
        ]
        assert measures["tempered_test_nll"] == nll(found.tempered, found.labels)
        assert measures["tempered_test_nll"] < nll(found.as_is, found.labels)
        assert measures["tempered_test_ece"] == ece(found.tempered, found.labels)
        assert accuracy(found.tempered, found.labels) == accuracy(found.as_is, found.labels)

    def test_both_reliability_tables_are_of_the_test_data(self):
        found = calibrate(*made())
        tables = reliability_tables(found)
        assert tables.index.is_unique
        assert tables["scaling"].unique().tolist() == ["none", "temperature"]
        for scaling, p in (("none", found.as_is), ("temperature", found.tempered)):
            of_one = tables[tables["scaling"] == scaling].drop(columns="scaling")
            expected = reliability_table(p, found.labels)
            pd.testing.assert_frame_equal(of_one.reset_index(drop=True), expected)

    def test_a_run_without_validation_data_is_refused(self):
        with pytest.raises(StudyError, match=r"runs.e.m.3 kept no validation data"):
            calibrate(*made(validation_fraction=0.0))


METRICS = [metric for metrics in SCORES_WITH_ALLOWANCES.values() for metric in metrics.values()]
METHODS = ["baseline", "input", "manifold"]


def measures(methods: list[str] = METHODS, n: int = 4, experiment: str = "e"):
    rng = np.random.default_rng(0)
    return measures_table(
        {
            RunKey(experiment, method, seed): {metric: rng.normal() for metric in METRICS}
            for method in methods
            for seed in range(n)
        }
    )


def test_each_side_is_compared_with_each_baseline_seed_by_seed() -> None:
    table = measures()
    found = against_baseline(table)
    assert list(found) == AGAINST_BASELINE
    # each score's sides squared, for every method, without the baseline against itself
    assert len(found) == 3 * (9 + 9 + 4) - (3 + 3 + 2)
    values = table.pivot(index="seed", columns=["method", "metric"], values="value")
    for row in found.itertuples():
        of_method = values[row.method, SCORES_WITH_ALLOWANCES[row.score][row.allowed]]
        of_baseline = values["baseline", SCORES_WITH_ALLOWANCES[row.score][row.baseline_allowed]]
        expected = stats.ttest_rel(of_method, of_baseline).confidence_interval()
        assert row.n == 4
        assert row.difference == pytest.approx(of_method.mean() - of_baseline.mean())
        assert (row.low, row.high) == pytest.approx((expected.low, expected.high))
    assert not found.duplicated(["score", "method", "allowed", "baseline_allowed"]).any()


def test_experiments_keep_their_order_and_those_without_a_baseline_are_passed_over() -> None:
    tables = [measures(["input"], experiment="d"), measures(experiment="z"), measures()]
    found = against_baseline(pd.concat(tables))
    assert found["experiment"].unique().tolist() == ["z", "e"]


def test_one_seed_has_no_interval_and_no_baseline_no_comparison() -> None:
    assert against_baseline(measures(n=1))["low"].isna().all()
    none = against_baseline(measures(["input", "manifold"]))
    assert list(none) == AGAINST_BASELINE
    assert none.empty
