"""Temperature scaling against closed forms and a grid."""

import numpy as np
import pytest

from study.measures.temperature import fit_temperature, tempered
from study.training.scores import nll


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
