"""When things happen in a run, which points make a batch, and the least loss of a step."""

import csv
import io
import math
from itertools import islice

import numpy as np
import pytest
import torch
from torch import nn

from mixup.mixing.plan import MixPlan
from mixup.mixing.sampler import Sampler
from study.seeds import Purpose, seed_sequence
from study.training.recipe import (
    Batches,
    Floor,
    Schedule,
    make_optimiser,
    p_different_labels,
    samples,
    schedule_for,
    targets_and_criterion,
)
from study.training.trainer import train_run
from tests.study.training.test_cohort import config as cohort_config
from tests.study.training.test_cohort import dataset
from tests.study.training.test_trainer import config


@pytest.mark.parametrize(("n_train", "batch_size"), [(10, 3), (9, 3), (4, 4), (5, 1)])
def test_batches_are_shuffled_epochs_without_their_ragged_rest(
    n_train: int, batch_size: int
) -> None:
    rng = np.random.default_rng(seed_sequence(7, Purpose.BATCHES))
    expected = []
    for _ in range(5):
        order = rng.permutation(n_train).tolist()
        for first in range(0, n_train, batch_size):
            if first + batch_size <= n_train:
                expected.append(order[first : first + batch_size])
    batches, n = Batches(n_train, batch_size, seed=7), len(expected)
    taken = [batches.take(1), batches.take(0), batches.take(n - 3), batches.take(2)]
    assert torch.cat(taken).tolist() == expected


@pytest.mark.parametrize("start", range(12))
def test_batches_start_wherever_a_run_stopped(start: int) -> None:
    whole = Batches(17, 4, seed=1).take(20)
    rest = Batches(17, 4, seed=1, start=start).take(20 - start)
    assert rest.tolist() == whole[start:].tolist()


# a step of 2 * 784 numbers is gathered 64 times at once, one of 40 * 784 numbers 8 times
@pytest.mark.parametrize("batch_size", [2, 40])
@pytest.mark.parametrize("start", [0, 1, 7, 8, 63, 64, 100])
def test_samples_are_those_of_the_batches(batch_size: int, start: int) -> None:
    inputs, targets = torch.randn(100, 784), torch.arange(100)
    batches = Batches(100, batch_size, seed=3).take(start + 70)[start:]
    given = list(islice(samples(inputs, targets, batch_size, seed=3, start=start), 70))
    for (x, y), batch in zip(given, batches, strict=True):
        assert torch.equal(x, inputs[batch])
        assert torch.equal(y, batch)


def test_schedule_in_steps() -> None:
    schedule = schedule_for(config(steps=10, decay_at=[3, 7], evaluations=4), n_train=32)
    assert schedule.n_steps == 10
    assert schedule.decay_at == {3, 7}
    assert schedule.evaluate_at == {2, 5, 8, 10}


def test_schedule_in_epochs() -> None:
    recipe = {"steps": None, "epochs": 6, "decay_at": [2], "evaluations": 3, "batch_size": 10}
    schedule = schedule_for(config(**recipe), n_train=32)
    assert schedule.n_steps == 18
    assert schedule.decay_at == {6}
    assert schedule.evaluate_at == {6, 12, 18}


def test_learning_rate_is_divided_by_ten_as_torch_does_it() -> None:
    ours = torch.optim.SGD([torch.zeros(1)], lr=0.003)
    theirs = torch.optim.SGD([torch.zeros(1)], lr=0.003)
    schedule = torch.optim.lr_scheduler.MultiStepLR(theirs, [1, 2, 3])
    ours_at = Schedule(4, frozenset([1, 2, 3]), None, frozenset())
    for step in (1, 2, 3):
        ours_at.adjust(ours, step)
        theirs.step()
        schedule.step()
        assert ours.param_groups[0]["lr"] == theirs.param_groups[0]["lr"]


def test_a_cosine_falls_from_the_initial_learning_rate_to_0() -> None:
    recipe = config(schedule="cosine", learning_rate=0.4, steps=6)
    schedule = schedule_for(recipe, n_train=32)
    optimiser = make_optimiser(recipe, nn.Linear(1, 1))
    rates = [optimiser.param_groups[0]["lr"]]
    for step in range(1, 7):
        schedule.adjust(optimiser, step)
        rates.append(optimiser.param_groups[0]["lr"])
    # 0.2 * (1 + cos) of 0, 30, ..., 180 degrees
    root = math.sqrt(3) / 10
    assert rates == pytest.approx([0.4, 0.2 + root, 0.3, 0.2, 0.1, 0.2 - root, 0], abs=1e-15)


def test_sgd_moves_by_its_velocity() -> None:
    net = nn.Linear(2, 1, bias=False)
    weights, velocity = net.weight.detach().flatten().tolist(), [0.0, 0.0]
    recipe = config("weight_decay", optimiser="sgd", momentum=0.9, learning_rate=0.1)
    optimiser = make_optimiser(recipe, net)
    for _ in range(4):
        optimiser.zero_grad()
        (net.weight**4).sum().backward()
        optimiser.step()
        # weight decay 0.5 times the weight is part of the gradient
        velocity = [0.9 * v + 4 * w**3 + 0.5 * w for v, w in zip(velocity, weights, strict=True)]
        weights = [w - 0.1 * v for v, w in zip(velocity, weights, strict=True)]
    assert net.weight.flatten().tolist() == pytest.approx(weights, rel=1e-5)


def test_two_classes_have_one_logit() -> None:
    targets, criterion = targets_and_criterion(torch.tensor([0, 1, 1]), n_logits=1)
    assert targets.tolist() == [[0.0], [1.0], [1.0]]
    logits = torch.tensor([[0.3], [-0.2], [2.0]])
    p = torch.sigmoid(logits.double())
    expected = -(torch.log(1 - p[0]) + torch.log(p[1]) + torch.log(p[2])) / 3
    torch.testing.assert_close(criterion(logits, targets).double(), expected[0])


def test_more_classes_have_a_logit_each() -> None:
    labels = torch.tensor([0, 2])
    targets, criterion = targets_and_criterion(labels, n_logits=3)
    assert targets is labels
    logits = torch.tensor([[1.0, 0.0, -1.0], [0.5, 2.0, 1.0]])
    p = logits.double().softmax(1)
    expected = -(torch.log(p[0, 0]) + torch.log(p[1, 2])) / 2
    torch.testing.assert_close(criterion(logits, targets).double(), expected)


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
        for one in (cohort_config(method, evaluations=20), cohort_config(method, evaluations=5))
    )
    expected = np.zeros(5)
    if method in ("manifold", "labels_only"):
        lam = np.array([float(row["lam"]) for row in each])
        # 36 training points of each of two classes: 36 of a point's 71 others have another label.
        entropy = -(lam * np.log(lam) + (1 - lam) * np.log(1 - lam))
        expected = 31 / 32 * 36 / 71 * entropy.reshape(5, 4).mean(1)
    np.testing.assert_allclose([float(row["floor"]) for row in few], expected)
