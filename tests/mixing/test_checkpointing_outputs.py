"""Checkpointed layers of models that return something else than a tensor."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint

from mixup import ManifoldMixup
from tests.mixing.checkpointed import LAYERS, PLANS, Deep, batch

# torch's compiler looks at gradients of tensors that have none
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")


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
