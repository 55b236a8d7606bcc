"""Keras' initial weights: their bound, and their distribution."""

import math

import pytest
import torch
from scipy.stats import kstest
from torch import nn

from mixup.models.cnn import CNN
from mixup.models.initial import keras_


@pytest.mark.parametrize(
    ("layer", "fans"),
    [
        (nn.Linear(60, 40), 60 + 40),
        (nn.Conv1d(8, 16, 5), (8 + 16) * 5),
        (nn.Conv2d(8, 16, (3, 5)), (8 + 16) * 15),
        (nn.Conv2d(8, 16, 5, groups=2), (4 + 16) * 25),
        (nn.Conv3d(4, 8, 3), (4 + 8) * 27),
    ],
)
def test_weights_are_uniform_within_the_bound_and_biases_zero(layer: nn.Module, fans: int) -> None:
    torch.manual_seed(0)
    weight = keras_(layer).get_parameter("weight").detach().flatten().numpy()
    bound = math.sqrt(6 / fans)
    assert 0.99 * bound < abs(weight).max() <= bound
    assert kstest(weight, "uniform", (-bound, 2 * bound)).pvalue > 0.01
    assert not layer.get_parameter("bias").any()


def test_every_such_layer_of_a_net_is_drawn_and_no_other() -> None:
    torch.manual_seed(0)
    net = CNN((1, 8, 8), 3, width=4)
    before = {name: weight.clone() for name, weight in net.named_parameters()}
    assert keras_(net) is net
    changed = {name for name, weight in net.named_parameters() if not weight.equal(before[name])}
    convolutions = {f"blocks.{k}.0.weight" for k in range(3)}
    assert changed == {*convolutions, "classifier.weight", "classifier.bias"}


def test_the_seed_decides() -> None:
    nets = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        nets.append(keras_(nn.Linear(3, 3)).weight)
    assert torch.equal(nets[0], nets[1])
    assert not torch.equal(nets[0], nets[2])
