"""Small models of many kinds, each with its forward pass written out a second time by hand.

``manual(model, inputs, change)`` runs the model without its hooks and passes the state at every
layer through ``change(name, state)``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

Change = Callable[[str, Any], Any]


def hooks_on(model: nn.Module) -> int:
    """Count the hooks on a model and its layers."""
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


class SkipMLP(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.block = nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8))
        self.out = nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.first(x))
        h = h + self.block(h)
        return self.out(torch.cat([h, x], dim=1))


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.conv(x)))


class ResidualCNN(nn.Module):
    def __init__(self, channels: int = 6, classes: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, channels, 3, padding=1)
        self.blocks = nn.ModuleList(Residual(channels) for _ in range(2))
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(x)
        for block in self.blocks:
            h = block(h)
        return self.head(h.mean(dim=(2, 3)))


class Transformer(nn.Module):
    """Sequence-first inside, as `nn.TransformerEncoder` is by default."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(4, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(self.embed(x)).mean(dim=1))


class Recurrent(nn.Module):
    def __init__(self, *, batch_first: bool = True) -> None:
        super().__init__()
        self.batch_first = batch_first
        self.embed = nn.Embedding(11, 5)
        self.lstm = nn.LSTM(5, 6, num_layers=2, batch_first=batch_first)
        self.head = nn.Linear(12, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        h = self.embed(tokens)
        out, (last, _) = self.lstm(h if self.batch_first else h.transpose(0, 1))
        return self.head(torch.cat([out.mean(dim=1 if self.batch_first else 0), last[-1]], dim=1))


def run_sequential(model: nn.Sequential, x: Tensor, change: Change) -> Tensor:
    h = change("input", x)
    for name, layer in model.named_children():
        h = change(name, layer.forward(h))
    return h


def run_skip(model: SkipMLP, x: Tensor, change: Change) -> Tensor:
    x = change("input", x)
    h = torch.relu(change("first", model.first.forward(x)))
    inner = h
    for name, layer in model.block.named_children():
        inner = change(f"block.{name}", layer.forward(inner))
    return model.out.forward(torch.cat([h + change("block", inner), x], dim=1))


def run_cnn(model: ResidualCNN, x: Tensor, change: Change) -> Tensor:
    h = change("stem", model.stem.forward(change("input", x)))
    for i, block in enumerate(model.blocks):
        assert isinstance(block, Residual)
        inner = block.norm.forward(change(f"blocks.{i}.conv", block.conv.forward(h)))
        h = change(f"blocks.{i}", torch.relu(h + inner))
    return model.head.forward(h.mean(dim=(2, 3)))


def run_transformer(model: Transformer, x: Tensor, change: Change) -> Tensor:
    h = change("embed", model.embed.forward(change("input", x)))
    for i, layer in enumerate(model.encoder.layers):
        assert isinstance(layer, nn.TransformerEncoderLayer)
        h = change(f"encoder.layers.{i}", layer.forward(h))
    return model.head.forward(change("encoder", h).mean(dim=1))


def run_recurrent(model: Recurrent, tokens: Tensor, change: Change) -> Tensor:
    h = change("embed", model.embed.forward(tokens))
    out, (last, cell) = model.lstm.forward(h if model.batch_first else h.transpose(0, 1))
    # `change` mixes the first dimension: bring the batch there and back
    states = [out, last.transpose(0, 1), cell.transpose(0, 1)]
    states[0] = out if model.batch_first else out.transpose(0, 1)
    mixed, last, _ = change("lstm", states)
    return model.head.forward(torch.cat([mixed.mean(dim=1), last[:, -1]], dim=1))


@dataclass(frozen=True)
class Case:
    """A model, a manual run of it, and where mixing may enter."""

    build: Callable[[], nn.Module]
    manual: Callable[[Any, Tensor, Change], Tensor]
    layers: tuple[str, ...]
    shape: tuple[int, ...]
    tokens: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    def inputs(self, n: int, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        if self.tokens:
            return torch.randint(11, (n, *self.shape), generator=generator)
        return torch.randn(n, *self.shape, generator=generator, dtype=torch.float64)

    def model(self) -> nn.Module:
        torch.manual_seed(0)
        return self.build().double()


CASES = {
    "sequential": Case(
        lambda: nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 3)),
        run_sequential,
        ("input", "0", "1"),
        (4,),
    ),
    "skip": Case(SkipMLP, run_skip, ("input", "first", "block.1", "block"), (4,)),
    "cnn": Case(ResidualCNN, run_cnn, ("input", "stem", "blocks.0.conv", "blocks.*"), (1, 6, 6)),
    "transformer": Case(
        Transformer, run_transformer, ("input", "embed", "encoder.layers.*", "encoder"), (5, 4)
    ),
    "lstm": Case(Recurrent, run_recurrent, ("embed", "lstm"), (7,), tokens=True),
    "lstm_sequence_first": Case(
        lambda: Recurrent(batch_first=False), run_recurrent, ("embed", "lstm"), (7,), tokens=True
    ),
}
