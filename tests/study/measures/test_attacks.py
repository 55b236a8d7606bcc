"""Attacks against closed forms on a linear net, and what must hold on any net."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from study.measures.attacks import fgsm, pgd, resists, search

RADIUS = 0.1


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def points() -> tuple[torch.Tensor, torch.Tensor]:
    rng = generator(1)
    inputs = torch.rand(64, 12, dtype=torch.float64, generator=rng)
    inputs[0, :6], inputs[0, 6:] = 0, 1  # at the edge of the box
    return inputs, torch.randint(0, 3, (64,), generator=rng)


@pytest.fixture
def net() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(12, 30), nn.Tanh(), nn.Linear(30, 3)).double()


def losses(net, inputs, labels) -> torch.Tensor:
    with torch.no_grad():
        return cross_entropy(net(inputs), labels, reduction="none")


def linear(weight: torch.Tensor):
    return lambda x: torch.stack([torch.zeros(len(x), dtype=x.dtype), x @ weight], dim=1)


@pytest.mark.parametrize("steps", [2, 40])
def test_of_a_linear_net_of_two_classes_both_find_the_corner(points, steps) -> None:
    inputs = points[0]
    labels = torch.arange(64) % 2
    weight = torch.linspace(-1, 1, 12, dtype=torch.float64)
    # the loss falls with the logit for class 1 and grows with it for class 0
    towards = torch.where(labels == 1, -1.0, 1.0)[:, None] * weight.sign()
    corner = (inputs + RADIUS * towards).clamp(0, 1)
    by_fgsm = fgsm(linear(weight), inputs, labels, RADIUS)
    by_pgd = pgd(linear(weight), inputs, labels, RADIUS, steps=steps, generator=generator())
    torch.testing.assert_close(by_fgsm, corner)
    torch.testing.assert_close(by_pgd, corner)


@pytest.mark.parametrize("radius", [0.01, 0.3, 1.0])
def test_examples_stay_in_the_ball_and_in_the_box(net, points, radius) -> None:
    before = points[0].clone()
    for found in (
        fgsm(net, *points, radius),
        pgd(net, *points, radius, steps=5, generator=generator()),
    ):
        assert (found - points[0]).abs().max() <= radius + 1e-12
        assert found.min() >= 0
        assert found.max() <= 1
        assert not found.requires_grad
    assert torch.equal(points[0], before)
    assert all(parameter.grad is None for parameter in net.parameters())


def test_pgd_finds_larger_losses_than_fgsm_and_fgsm_than_none(net, points) -> None:
    by_pgd = losses(net, pgd(net, *points, 0.3, generator=generator()), points[1]).mean()
    by_fgsm = losses(net, fgsm(net, *points, 0.3), points[1]).mean()
    assert by_pgd > by_fgsm > losses(net, *points).mean()


def test_loss_grows_with_the_radius(net, points) -> None:
    for attack in (fgsm, lambda *given: pgd(*given, generator=generator())):
        means = [
            losses(net, attack(net, *points, radius), points[1]).mean()
            for radius in (0.0, 0.02, 0.05, 0.1, 0.2)
        ]
        assert means == sorted(means)
        assert means[0] < means[-1]


def test_the_generator_alone_decides(net, points) -> None:
    def attack(seed: int) -> torch.Tensor:
        return pgd(net, *points, RADIUS, steps=1, generator=generator(seed))

    first = attack(0)
    torch.manual_seed(99)
    assert torch.equal(attack(0), first)
    assert not torch.equal(attack(1), first)


def test_searching_again_never_loses_a_sample_that_one_search_fooled(net, points) -> None:
    attack = partial(pgd, net, radius=0.15, steps=1, generator=generator())
    first, by_first, by_all = search(attack, net, *points, 8)
    assert (by_first == resists(net, first, points[1])).all()
    assert not (by_all & ~by_first).any()


def test_searching_again_reaches_what_one_search_cannot() -> None:
    """On a plain with one peak the start decides: only within a tenth of the ball is a slope."""
    inputs = torch.full((400, 1), 0.5, dtype=torch.float64)
    labels = torch.zeros(400, dtype=torch.int64)

    def peak(x: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.full_like(x, 0.5), torch.relu(1 - (x - 0.55).abs() / 0.01)], dim=1)

    attack = partial(pgd, peak, radius=0.1, generator=generator())
    _, by_first, by_all = search(attack, peak, inputs, labels, 7)
    # the foot is 0.02 wide of a ball of 0.2
    assert by_first.mean() == pytest.approx(0.9, abs=0.05)
    assert by_all.mean() == pytest.approx(0.9**7, abs=0.08)


def test_only_what_resists_is_attacked_again() -> None:
    """A net whose class is the sign, and an attack that turns the sign of its first sample."""
    inputs, labels = -torch.ones(3, 1), torch.zeros(3, dtype=torch.int64)
    sizes: list[int] = []

    def attack(inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        sizes.append(len(labels))
        return torch.cat([-inputs[:1], inputs[1:]])

    _, by_first, by_all = search(attack, linear(torch.ones(1)), inputs, labels, 9)
    assert by_first.tolist() == [False, True, True]
    assert not by_all.any()
    assert sizes == [3, 2, 1]
