"""The least loss of a mixed step, against real batches and against what a run writes."""

import csv
import io
import math

import numpy as np
import pytest
import torch

from mixup.mixing.plan import MixPlan
from mixup.mixing.sampler import Sampler
from study.training.recipe import Floor, p_different_labels
from study.training.trainer import train_run
from tests.study.training.test_cohort import config, dataset

BATCH = 5


def test_probability_of_another_label_is_that_of_real_batches():
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], [12, 6, 2])
    sampler = Sampler(
        {"input": 1.0},
        alpha=1.0,
        beta=None,
        per_sample=False,
        pairing="random",
        mixes="both",
        noise=0.0,
        seed=0,
    )
    different = []
    for _ in range(4000):
        batch = rng.permutation(labels)[:BATCH]
        different.append(batch != batch[sampler.draw(BATCH).perm.numpy()])
    assert np.mean(different) == pytest.approx(p_different_labels(labels, BATCH), abs=0.01)


def test_probability_in_small_cases():
    assert p_different_labels([0, 0, 0], 2) == 0
    assert p_different_labels([0, 1], 1) == 0  # a batch of one mixes with itself
    assert p_different_labels([0, 1], 2) == 0.5


@pytest.mark.parametrize("mixes", ["both", "labels", "features"])
def test_floor_is_the_entropy_of_mixed_targets(mixes):
    plan = MixPlan("input", 0.25, torch.arange(BATCH), mixes=mixes)
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    labels = [0, 1, 1, 2, 2, 2]
    expected = 0.0 if mixes == "features" else p_different_labels(labels, BATCH) * entropy
    assert Floor(labels, BATCH)(plan) == pytest.approx(expected)


def test_floor_of_nothing_mixed_is_0():
    floor = Floor([0, 1], 2)
    assert [floor(plan) for plan in (None, MixPlan.plain(2))] == [0.0, 0.0]
    assert [floor(MixPlan("input", lam, torch.arange(2))) for lam in (0.0, 1.0)] == [0.0, 0.0]


@pytest.mark.parametrize("method", ["manifold", "labels_only", "features_only", "baseline"])
def test_history_has_the_mean_floor_of_the_steps_since_the_last_row(method):
    """Of the same run with a row each step, every lam is on record."""
    each, few = (
        list(csv.DictReader(io.StringIO(train_run(one, dataset())["history.csv"].decode())))
        for one in (config(method, evaluations=40), config(method, evaluations=5))
    )
    expected = np.zeros(5)
    if method in ("manifold", "labels_only"):
        lam = np.array([float(row["lam"]) for row in each])
        # 36 training points of each of two classes: 36 of a point's 71 others have another label.
        entropy = -(lam * np.log(lam) + (1 - lam) * np.log(1 - lam))
        expected = 31 / 32 * 36 / 71 * entropy.reshape(5, 8).mean(1)
    np.testing.assert_allclose([float(row["floor"]) for row in few], expected)
