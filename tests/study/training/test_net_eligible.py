"""Names of layers in params.yaml: found, and tried before any training."""

import pytest
import torch
from torch import Tensor, nn

from mixup.models.cnn import CNN
from study.errors import StudyError
from study.training.net import find_eligible

SHAPE = (1, 4, 4)


@pytest.mark.parametrize(
    ("eligible", "found"),
    [
        (["input", "blocks.1"], ("input", "blocks.1")),
        (["blocks.*"], ("blocks.0", "blocks.1", "blocks.2")),
        (["blocks.?.2", "input"], ("blocks.0.2", "blocks.1.2", "blocks.2.2", "input")),
    ],
)
def test_names_and_patterns_become_layers(eligible: list[str], found: tuple[str, ...]) -> None:
    assert find_eligible(CNN(SHAPE, 2, width=2), eligible, SHAPE) == found


def test_the_net_and_the_generator_stay_as_they_were() -> None:
    net = CNN(SHAPE, 2, width=2, dropout=0.5).eval()
    before = {name: weight.clone() for name, weight in net.state_dict().items()}
    state = torch.get_rng_state()
    find_eligible(net, ["blocks.*"], SHAPE)
    assert not net.training
    assert not any(module._forward_hooks for module in net.modules())
    assert all(torch.equal(weight, before[name]) for name, weight in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_an_unknown_layer_is_told_with_all_there_are() -> None:
    with pytest.raises(StudyError) as caught:
        find_eligible(
            CNN(SHAPE, 2, width=2), ["blocks.9"], SHAPE, "experiments.e.methods.m.eligible"
        )
    said = str(caught.value)
    assert said.startswith("experiments.e.methods.m.eligible cannot be ['blocks.9']: no layer")
    for name in ("input", "blocks.0", "blocks.2.1", "classifier"):
        assert f" {name}," in f"{said},"
    assert "\n" not in said


class Odd(nn.Module):
    """One layer runs twice, one never, and one returns what cannot be mixed."""

    def __init__(self) -> None:
        super().__init__()
        self.once, self.twice, self.never = (nn.Linear(4, 4) for _ in range(3))
        self.counts = Counts()

    def forward(self, x: Tensor) -> Tensor:
        self.counts(x)
        return self.twice(self.twice(self.once(x)))


class Counts(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.long()


@pytest.mark.parametrize(
    ("eligible", "says"),
    [
        (["once", "twice"], "twice"),
        (["once", "never"], "never"),
        (["once", "counts"], "at 'counts': "),
        (["once:0"], "at 'once:0': no part '0'"),
        ([], "no layer to mix at"),
    ],
)
def test_layers_that_cannot_be_mixed_at_are_told(eligible: list[str], says: str) -> None:
    assert find_eligible(Odd(), ["once"], (4,)) == ("once",)
    with pytest.raises(StudyError, match=f"^eligible cannot be .*{says}"):
        find_eligible(Odd(), eligible, (4,))
