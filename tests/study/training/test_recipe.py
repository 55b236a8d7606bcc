"""When things happen in a run, and which points make a batch."""

import math
from itertools import islice

import numpy as np
import pytest
import torch
from torch import nn

from study.seeds import Purpose, seed_sequence
from study.training.recipe import (
    Batches,
    Schedule,
    make_optimiser,
    samples,
    schedule_for,
    targets_and_criterion,
)
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
