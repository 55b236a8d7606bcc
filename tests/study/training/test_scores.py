"""Scores against scikit-learn, and calibration against a plain loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from study.training import scores


def example(seed: int, n: int, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(n_classes, 0.5), n), rng.integers(n_classes, size=n)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), n_classes=st.integers(2, 10))
def test_scores_equal_scikit_learn(seed: int, n: int, n_classes: int) -> None:
    p, labels = example(seed, n, n_classes)
    every = list(range(n_classes))
    assert scores.accuracy(p, labels) == pytest.approx(metrics.accuracy_score(labels, p.argmax(1)))
    recall = metrics.recall_score(labels, p.argmax(1), labels=np.unique(labels), average="macro")
    assert scores.balanced_accuracy(p, labels) == pytest.approx(recall)
    assert scores.nll(p, labels) == pytest.approx(metrics.log_loss(labels, p, labels=every))
    assert scores.brier(p, labels) == pytest.approx(
        metrics.brier_score_loss(labels, p, labels=every, scale_by_half=False)
    )


@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), n_bins=st.integers(1, 20))
def test_ece_equals_a_loop_over_bins(seed: int, n: int, n_bins: int) -> None:
    p, labels = example(seed, n, 3)
    total = 0.0
    for b in range(n_bins):
        inside = [i for i in range(n) if b / n_bins < max(p[i]) <= (b + 1) / n_bins]
        if inside:
            hits = np.mean([p[i].argmax() == labels[i] for i in inside])
            total += len(inside) / n * abs(hits - np.mean([max(p[i]) for i in inside]))
    assert scores.ece(p, labels, n_bins) == pytest.approx(total)


def test_known_values() -> None:
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    labels = np.array([0, 1, 1, 0])
    assert scores.accuracy(p, labels) == 0.75
    assert scores.brier(p, labels) == pytest.approx(2 * (0.01 + 0.81 + 0.04 + 0.16) / 4)
    # bins of width 1/15 hold .9 and .9 together, .8 and .6 alone
    assert scores.ece(p, labels) == pytest.approx((2 * 0.4 + 0.2 + 0.4) / 4)


def test_calibration_has_fifteen_bins_down_to_the_lowest() -> None:
    # .81 and .86 share the bin (12/15, 13/15], and no bin of 14 or 16; .06 and .1 share none
    def of(confidence: float, classes: int) -> list[float]:
        return [confidence, *[(1 - confidence) / (classes - 1)] * (classes - 1)]

    together = np.array([of(0.81, 2), of(0.86, 2)])
    assert scores.ece(together, np.array([0, 1])) == pytest.approx((0.86 - 0.19) / 2)
    apart = np.array([of(0.06, 20), of(0.1, 20)])
    assert scores.ece(apart, np.array([0, 1])) == pytest.approx((0.94 + 0.1) / 2)


def test_confidence_that_rounding_lifted_above_one_is_in_the_last_bin() -> None:
    p = np.array([[1 + 1e-12, 0.0], [0.95, 0.05]])
    assert scores.ece(p, np.array([1, 0])) == pytest.approx((1 - 0.05) / 2)


def test_impossible_label_has_a_finite_loss() -> None:
    assert np.isfinite(scores.nll(np.array([[1.0, 0.0]]), np.array([1])))


def test_low_confidence_area_of_a_linear_ramp_is_known() -> None:
    points = np.array([[-1, 0], [3, 5], [0, 1]], dtype=np.float32)

    def ramp(grid: np.ndarray) -> np.ndarray:
        p = (grid[:, 0].astype(np.float64) + 1) / 4
        return np.stack([1 - p, p], axis=1)

    # P rises from 0 to 1 across the box, so half of it lies between .25 and .75
    assert scores.low_confidence_area(ramp, points) == pytest.approx(0.5, abs=0.006)
    assert scores.low_confidence_area(lambda grid: ramp(grid) * 0 + 0.5, points) == 1.0
    for bound in (0.25, 0.75):
        assert scores.low_confidence_area(lambda grid, p=bound: ramp(grid) * 0 + p, points) == 0.0


def test_low_confidence_area_looks_at_the_whole_box() -> None:
    points = np.array([[-1, 2], [3, 5]], dtype=np.float32)
    seen = []

    def watch(grid: np.ndarray) -> np.ndarray:
        seen.append(grid)
        return np.full((len(grid), 2), 0.5)

    scores.low_confidence_area(watch, points, resolution=4)
    assert seen[0].shape == (16, 2)
    assert sorted(set(seen[0][:, 0])) == pytest.approx([-0.5, 0.5, 1.5, 2.5])
    assert sorted(set(seen[0][:, 1])) == pytest.approx([2.375, 3.125, 3.875, 4.625])
    scores.low_confidence_area(watch, points)
    assert len(seen[1]) == 200 * 200
