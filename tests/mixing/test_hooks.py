"""Hooks on layers: those that cannot be registered, and those of others."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mixup import ManifoldMixup
from tests.mixing.four import linear, mixed, plan


@pytest.fixture
def x() -> Tensor:
    return torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def failing() -> nn.Module:
    class Fails(nn.Linear):
        def register_forward_hook(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("cannot have hooks")

    return nn.Sequential(linear(0), Fails(3, 3).double())


def test_a_hook_that_cannot_be_registered_leaves_no_other(failing: nn.Module, x: Tensor) -> None:
    mixer = ManifoldMixup(failing, ["0", "1"], 1.0)
    expected = failing(x)
    with pytest.raises(RuntimeError, match="cannot have hooks"):
        mixer(x, plan=plan("0"))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in failing.modules())
    assert torch.equal(failing(x), expected)


def test_a_part_that_is_trained_in_an_eval_model_is_noticed(x: Tensor) -> None:
    model = nn.Sequential(linear(0), nn.BatchNorm1d(3).double(), linear(1))
    mixer = ManifoldMixup(model, ["0"], 1.0)
    model.eval()
    assert mixer(x)[1].layer is None
    model[2].train()
    with pytest.raises(RuntimeError, match="eval mode, which never mixes, but '2' is in training"):
        mixer(x)
    with torch.no_grad():
        assert mixer(x)[1].layer is None
    model.training = True
    output, _ = mixer(x, plan=plan("0"))
    assert_close(output, model[2](model[1](mixed(model[0](x)))))


def test_hooks_of_others_see_the_state_with_which_the_model_goes_on(x: Tensor) -> None:
    seen: list[Tensor] = []
    model = nn.Sequential(linear(0), linear(1))
    model[0].register_forward_hook(lambda _m, _a, output: seen.append(output))
    expected = mixed(model[0](x))
    mixer = ManifoldMixup(model, ["0"], 1.0)
    for _ in range(2):
        mixer(x, plan=plan("0"))
        assert_close(seen[-1], expected)
