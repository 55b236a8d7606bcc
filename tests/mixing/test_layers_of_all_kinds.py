"""Layers that are skipped, shared, used in place, containers with a forward of their own."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint

from mixup import ManifoldMixup
from tests.mixing.four import linear, mixed, plan


@pytest.fixture
def x() -> Tensor:
    return torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


class InPlace(nn.Module):
    """Uses a layer for its effect on its argument, for what it returns, or for both."""

    def __init__(self, use: str) -> None:
        super().__init__()
        self.use = use
        self.first, self.last, self.relu = linear(0), linear(1), nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        if self.use == "effect":
            self.relu(h)
        else:
            h = self.relu(h)
        return self.last(h)


def test_a_layer_of_which_only_the_effect_is_used_is_refused(x: Tensor) -> None:
    mixer = ManifoldMixup(InPlace("effect"), ["first", "relu"], 1.0)
    for _ in range(2):  # before the layers were counted, and after it
        with pytest.raises(RuntimeError, match="'relu' changes its argument in place, and the"):
            mixer(x, plan=plan("relu"))
        mixer(x, plan=plan("first"))


@pytest.mark.parametrize("position", [0, 1])
def test_a_layer_of_which_only_the_effect_on_one_of_its_arguments_is_used(
    x: Tensor, position: int
) -> None:
    class Scale(nn.Module):
        def forward(self, *args: Any) -> Tensor:
            h: Tensor = args[position]
            return h.mul_(args[1 - position])

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.scale = linear(0), Scale()

        def forward(self, x: Tensor) -> Tensor:
            h = self.first(x)
            self.scale(*((h, 2.0) if position == 0 else (2.0, h)))
            return h

    with pytest.raises(RuntimeError, match="'scale' changes its argument in place"):
        ManifoldMixup(Model(), ["scale"], 1.0)(x, plan=plan("scale"))


def test_a_layer_in_place_of_which_the_result_is_used_is_mixed(x: Tensor) -> None:
    model = InPlace("result")
    expected = model.last(mixed(F.relu(model.first(x))))
    mixer = ManifoldMixup(model, ["relu"], 1.0)
    for _ in range(2):
        output, _ = mixer(x, plan=plan("relu"))
        assert_close(output, expected)
        output.sum().backward()


def test_an_identity_marks_a_place_to_mix_at(x: Tensor) -> None:
    model = nn.Sequential(linear(0), nn.Identity(), linear(1))
    output, _ = ManifoldMixup(model, ["1"], 1.0)(x, plan=plan("1"))
    assert_close(output, model[2](mixed(model[0](x))))


class Dense(nn.ModuleDict):
    """A container with a forward of its own, as DenseNet's blocks."""

    def forward(self, x: Tensor) -> Tensor:
        for part in self.values():
            x = torch.tanh(part(x))
        return x


def test_containers_that_are_called_are_layers(x: Tensor) -> None:
    block = Dense({"a": linear(0), "b": linear(1)})
    model = nn.Sequential(block, linear(2))
    mixer = ManifoldMixup(model, ["*"], 1.0)
    assert mixer.layers == ("0", "1")
    output, _ = mixer(x, plan=plan("0"))
    assert_close(output, model[1](mixed(block(x))))

    class NeverCalled(nn.Module):
        pass

    model.add_module("2", NeverCalled())
    with pytest.raises(ValueError, match="'2' is a NeverCalled, which is never called"):
        ManifoldMixup(model, ["2"], 1.0)


def test_two_stars_cross_dots() -> None:
    model = nn.ModuleDict({"base": nn.ModuleDict({"model": nn.Sequential(linear(), linear())})})
    for pattern in ("**.0", "base.**.0", "**.model.0", "**.base.model.0"):
        assert ManifoldMixup(model, [pattern], 1.0).layers == ("base.model.0",)
    assert ManifoldMixup(model, ["base.**"], 1.0).layers == (
        "base.model", "base.model.0", "base.model.1",
    )  # fmt: skip


class Skipping(nn.Module):
    """Leaves out its blocks as it is told, and runs one as often as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([linear(0), linear(1)])
        self.runs = [1, 1]
        self.checkpointed = False

    def forward(self, x: Tensor) -> Tensor:
        if self.checkpointed:
            return checkpoint(self.inner, x.requires_grad_(), use_reentrant=False)  # type: ignore[no-any-return]
        return self.inner(x)

    def inner(self, x: Tensor) -> Tensor:
        for block, runs in zip(self.blocks, self.runs, strict=True):
            for _ in range(runs):
                x = torch.tanh(block(x))
        return x


def test_a_batch_of_which_the_drawn_layer_is_skipped_stays_plain(x: Tensor) -> None:
    model = Skipping()
    mixer = ManifoldMixup(model, ["blocks.*"], 1.0, skipped="plain", seed=0)
    model.runs = [1, 0]
    output, done = mixer(x, plan=plan("blocks.1"))
    assert_close(output, torch.tanh(model.blocks[0](x)))
    assert (done.layer, done.lam, done.perm.tolist()) == (None, 1.0, [0, 1, 2, 3])
    y = torch.tensor([0, 1, 2, 0])
    assert_close(done.loss(F.cross_entropy, output, y), F.cross_entropy(output, y))
    output, done = mixer(x, plan=plan("blocks.0"))
    assert done.layer == "blocks.0"
    assert_close(output, torch.tanh(mixed(model.blocks[0](x))))
    model.runs = [2, 1]
    with pytest.raises(RuntimeError, match=r"'blocks\.0' ran 2 times.*repeated='first'"):
        mixer(x, plan=plan("blocks.0"))
    model.runs = [1, 0]
    with pytest.raises(RuntimeError, match=r"ran 0 times.*skipped='plain'"):
        ManifoldMixup(model, ["blocks.*"], 1.0)(x, plan=plan("blocks.1"))


@pytest.mark.parametrize("repeated", ["first", "each"])
def test_a_shared_layer_is_mixed_at_as_it_is_told(x: Tensor, repeated: Any) -> None:
    model = Skipping()
    model.runs = [3, 0]
    block, h = model.blocks[0], x
    for run in range(3):
        h = block(h)
        h = torch.tanh(mixed(h) if repeated == "each" or run == 0 else h)
    mixer = ManifoldMixup(model, ["blocks.0"], 1.0, repeated=repeated)
    for _ in range(2):
        assert_close(mixer(x, plan=plan("blocks.0"))[0], h)
    model.runs = [0, 1]
    with pytest.raises(RuntimeError, match=r"'blocks\.0' ran 0 times"):
        mixer(x, plan=plan("blocks.0"))


def test_the_first_run_of_a_shared_layer_in_a_checkpoint_is_refused(x: Tensor) -> None:
    model, twin = Skipping(), Skipping()
    model.runs = twin.runs = [2, 0]
    model.checkpointed = True
    with pytest.raises(RuntimeError, match=r"is shared, and in a checkpoint.*repeated='each'"):
        ManifoldMixup(model, ["blocks.0"], 1.0, repeated="first")(x, plan=plan("blocks.0"))
    for one in (model, twin):
        mixer = ManifoldMixup(one, ["blocks.0"], 1.0, repeated="each")
        mixer(x, plan=plan("blocks.0"))[0].square().sum().backward()
    assert_close(model.blocks[0].weight.grad, twin.blocks[0].weight.grad)


def test_bad_choices_are_refused() -> None:
    for option in ("skipped", "repeated"):
        with pytest.raises(ValueError, match=rf"{option} must be one of \('error', .*got 'x'"):
            ManifoldMixup(Skipping(), ["blocks.0"], 1.0, **{option: "x"})  # type: ignore[arg-type]
