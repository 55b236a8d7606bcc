"""Temperature scaling and early stopping, against closed forms, a grid and plain loops."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from study.data.dataset import Dataset
from study.errors import StudyError
from study.measures.allowances import (
    applies,
    calibrate,
    calibration_measures,
    early_stopping_measures,
    fit_temperature,
    reliability_table,
    reliability_tables,
    tempered,
)
from study.paths import RunKey
from study.training.net import build_mlp
from study.training.run import Run
from study.training.scores import accuracy, ece, nll
from tests.training import run_config, with_bottleneck


@pytest.mark.parametrize(("fraction", "are_measured"), [(0.0, False), (0.25, True)])
def test_allowances_need_validation_data(fraction: float, are_measured: bool) -> None:
    experiment = with_bottleneck(None, validation_fraction=fraction)
    assert applies(RunKey("e", "baseline", 0), experiment) is are_measured


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def drawn(scale: float = 1.0, n: int = 4000, n_classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Draw labels from softmax(logits); give the logits enlarged by ``scale``."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(n, n_classes)) * 2
    p = softmax(logits)
    labels = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(max=n_classes - 1)
    return scale * logits, labels


class TestFitTemperature:
    @pytest.mark.parametrize(("hits", "confidence"), [(6, 0.9), (9, 0.6), (8, 0.999)])
    def test_of_equal_confidences_the_scaled_one_is_the_accuracy(self, hits, confidence):
        probabilities = np.tile([confidence, 1 - confidence], (10, 1))
        labels = np.array([0] * hits + [1] * (10 - hits))
        logit, wanted = np.log(confidence / (1 - confidence)), np.log(hits / (10 - hits))
        assert fit_temperature(probabilities, labels) == pytest.approx(logit / wanted, rel=1e-4)

    def test_no_temperature_of_a_fine_grid_is_better(self):
        logits, labels = drawn(scale=3.0, n=300)
        found = fit_temperature(softmax(logits), labels)
        grid = np.geomspace(0.05, 50, 4001)
        losses = [-np.log(softmax(logits / t)[np.arange(len(labels)), labels]).mean() for t in grid]
        assert found == pytest.approx(grid[np.argmin(losses)], rel=2e-3)

    def test_logits_that_were_enlarged_are_brought_back(self):
        alike, enlarged = (fit_temperature(softmax(drawn(s)[0]), drawn()[1]) for s in (1, 4))
        assert enlarged == pytest.approx(4 * alike, rel=1e-5)
        assert alike == pytest.approx(1, abs=0.1)

    def test_predictions_without_errors_become_sure_and_misleading_ones_even(self):
        right = np.array([[0.9, 0.1], [0.2, 0.8]])
        found = fit_temperature(right, np.array([0, 1]))
        assert nll(tempered(right, found), np.array([0, 1])) == pytest.approx(0, abs=1e-12)
        misled = np.array([[0.9, 0.1], [0.9, 0.1]])
        assert fit_temperature(misled, np.array([1, 1])) > 900

    def test_nothing_to_fit_on_is_refused(self):
        with pytest.raises(ValueError, match="at least one sample"):
            fit_temperature(np.zeros((0, 2)), np.zeros(0, int))


class TestTempered:
    def test_it_is_the_softmax_of_divided_logits(self):
        logits, _ = drawn(scale=5.0, n=50)
        np.testing.assert_allclose(tempered(softmax(logits), 1.7), softmax(logits / 1.7), rtol=1e-9)

    def test_one_changes_nothing_and_no_temperature_the_top_class(self):
        p = softmax(drawn(n=50)[0])
        np.testing.assert_allclose(tempered(p, 1.0), p, rtol=1e-12)
        for t in (0.1, 8.0):
            assert (tempered(p, t).argmax(1) == p.argmax(1)).all()
        assert (tempered(p, 8.0).max(1) < p.max(1)).all()

    def test_a_probability_of_zero_stays_a_number(self):
        found = tempered(np.array([[1.0, 0.0]]), 2.0)
        assert found == pytest.approx(np.array([[1.0, 0.0]]), abs=1e-100)


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
