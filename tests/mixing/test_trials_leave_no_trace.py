"""Trials of criteria change nothing: states, generators, what is alive."""

import gc
from types import MethodType
from typing import Any
from weakref import ref

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from tests import reference
from tests.mixing.five import PERM, C, N, plan

PLAN = plan()


class WithState(nn.Module):
    """Keeps a mean of its losses and divides by it, drops terms at random, counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.ones((), dtype=torch.float64))
        self.drop = nn.Dropout(0.5)
        self.seen = 0

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        self.seen += 1
        loss = (self.drop(output) * target).mean()
        scaled = loss / self.mean.clone()
        self.mean.mul_(0.9).add_(0.1 * loss.detach().abs())
        return scaled


@pytest.mark.parametrize("bound", [False, True])
def test_trials_leave_no_trace(logits: Tensor, bound: bool) -> None:
    y = torch.rand(N, C, dtype=torch.float64)
    mixed = torch.from_numpy(reference.mixed(y, 0.3, PERM))
    criterion, twin = WithState(), WithState()
    for step in range(5):
        torch.manual_seed(step)
        got = PLAN.loss(criterion.forward if bound else criterion, logits, y)
        after = torch.get_rng_state()
        torch.manual_seed(step)
        assert_close(got, twin(logits, mixed))
        assert torch.equal(torch.get_rng_state(), after)
    assert criterion.seen == twin.seen == 5
    assert_close(criterion.mean, twin.mean)


def test_what_a_bound_method_belongs_to_is_not_copied_or_kept(logits: Tensor) -> None:
    copies: list[int] = []

    class Trainer:
        def __deepcopy__(self, memo: dict[int, object]) -> "Trainer":
            copies.append(1)
            return self

    def with_loss() -> Any:
        trainer: Any = Trainer()

        def loss(self: Trainer, output: Tensor, target: Tensor) -> Tensor:
            assert trainer is self  # a closure over its owner
            return (output * target).mean()

        trainer.loss = MethodType(loss, trainer)
        return trainer

    trainer = with_loss()
    PLAN.loss(trainer.loss, logits, torch.rand(N, C, dtype=torch.float64))
    assert copies == []
    gone = ref(trainer)
    del trainer
    gc.collect()
    assert gone() is None
