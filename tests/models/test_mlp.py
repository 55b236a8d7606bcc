"""The perceptron against its formula, whole and in parts."""

import numpy as np
import pytest
import torch
from torch import nn

from mixup.models.mlp import MLP


@pytest.fixture
def net() -> MLP:
    torch.manual_seed(0)
    return MLP(2, [5, 3, 4], 1, negative_slope=0.3).double()


def by_hand(net: MLP, x: np.ndarray, upto: int) -> np.ndarray:
    """Leaky ReLU layers written out, in numpy."""
    state = net.state_dict()
    for k in range(upto):
        weight, bias = (state[f"hidden.{k}.0.{name}"].numpy() for name in ("weight", "bias"))
        z = x @ weight.T + bias
        x = np.where(z > 0, z, 0.3 * z)
    return x


def test_states_and_logits_equal_the_formula(net: MLP) -> None:
    x = torch.randn(7, 2, dtype=torch.float64)
    for k in range(4):
        np.testing.assert_allclose(net(x, end=k).detach(), by_hand(net, x.numpy(), k))
    last = by_hand(net, x.numpy(), 3)
    logits = last @ net.classifier.weight.detach().numpy().T + net.classifier.bias.item()
    np.testing.assert_allclose(net(x).detach(), logits)


@pytest.mark.parametrize("k", range(4))
def test_two_halves_make_the_whole(net: MLP, k: int) -> None:
    x = torch.randn(7, 2, dtype=torch.float64)
    assert torch.equal(net(net(x, end=k), start=k), net(x))


@pytest.mark.parametrize("k", range(4))
def test_equal_start_and_end_is_the_identity(net: MLP, k: int) -> None:
    x = torch.randn(7, 4)
    assert net(x, start=k, end=k) is x


def test_layers_are_those_of_the_video() -> None:
    sizes = [
        (m.in_features, m.out_features)
        for m in MLP(2, [32] * 3, 1).modules()
        if isinstance(m, nn.Linear)
    ]
    assert sizes == [(2, 32), (32, 32), (32, 32), (32, 1)]


def test_layer_names_are_the_modules_that_make_the_states(net: MLP) -> None:
    assert net.layer_name(0) == "input"
    for k in (1, 2, 3):
        assert net.get_submodule(net.layer_name(k)) is net.hidden[k - 1]


def test_dropout_follows_every_hidden_layer_and_keeps_the_weights_names() -> None:
    plain, dropped = MLP(2, [4, 4], 1), MLP(2, [4, 4], 1, dropout=0.5)
    assert plain.state_dict().keys() == dropped.state_dict().keys()
    assert [m.p for m in dropped.modules() if isinstance(m, nn.Dropout)] == [0.5, 0.5]
