"""Checkpointed layers of models that return something else than a tensor."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint

from mixup import ManifoldMixup, MixPlan

# torch's compiler looks at gradients of tensors that have none
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")


LAYERS = ["input", "blocks.0", "blocks.1", "blocks.2"]


PLANS = [
    MixPlan("blocks.0", 0.3, torch.tensor([1, 2, 3, 0])),
    MixPlan("blocks.1", 0.6, torch.tensor([3, 2, 1, 0])),
    MixPlan("blocks.2", 0.8, torch.tensor([2, 3, 1, 0])),
    MixPlan("input", 0.1, torch.tensor([2, 3, 0, 1])),
]


class Deep(nn.Module):
    def __init__(self, reentrant: bool | None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.reentrant = reentrant
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Dropout(0.0)) for _ in range(3)
        )
        self.head = nn.Linear(4, 3)
        self.runs = 0

    def forward(self, x: Tensor) -> Tensor:
        x = x.requires_grad_()
        if self.reentrant is None:
            return self.head(self.inner(x))
        return self.head(checkpoint(self.inner, x, use_reentrant=self.reentrant))

    def inner(self, h: Tensor) -> Tensor:
        self.runs += 1
        for block in self.blocks:
            h = block(h)
        return h


def batch(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(4, 4, generator=generator)
    return x, torch.randint(3, (4,), generator=generator)


@dataclass
class Answer:
    logits: Tensor


class Own:
    def __init__(self, logits: Tensor) -> None:
        self.inside = {"logits": logits, "itself": self}

    @property
    def logits(self) -> Tensor:
        return self.inside["logits"]  # type: ignore[return-value]


class Packed(Deep):
    """Returns something else than a tensor."""

    def __init__(self, reentrant: bool | None, pack: Any) -> None:
        super().__init__(reentrant)
        self.pack = pack
        self.feature = torch.empty(0)

    def forward(self, x: Tensor) -> Any:
        x = x.requires_grad_()
        once = self.reentrant is not None
        self.feature = checkpoint(self.inner, x, use_reentrant=self.reentrant) if once else (
            self.inner(x))  # fmt: skip
        return self.pack(self.head(self.feature))


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("of", ["output", "feature"])
@pytest.mark.parametrize("pack", [Answer, Own, lambda logits: {"a": [Answer(logits)]}])
def test_outputs_of_any_kind(reentrant: bool, pack: Any, of: str) -> None:
    grads = []
    for model in (Packed(reentrant, pack), Packed(None, pack)):
        output, _ = ManifoldMixup(model, LAYERS, 1.0)(batch(0)[0], plan=PLANS[1])
        answer = output["a"][0] if isinstance(output, dict) else output
        (answer.logits if of == "output" else model.feature).square().sum().backward()
        grads.append([p.grad for p in model.parameters() if p.grad is not None])
    assert_close(*grads)


@pytest.mark.parametrize("pack", [repr, Tensor.tolist])
def test_an_output_without_a_tensor_is_refused_where_layers_may_run_again(pack: Any) -> None:
    mixer = ManifoldMixup(Packed(True, pack), LAYERS, 1.0)
    with pytest.raises(RuntimeError, match=r"'blocks\.1' is in a checkpoint.*no tensor .* output"):
        mixer(batch(0)[0], plan=PLANS[1])
    ManifoldMixup(Packed(None, pack), LAYERS, 1.0)(batch(0)[0], plan=PLANS[1])
