"""Layers of sequences: recurrent ones, packed sequences, transformers and attention."""

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence
from torch.testing import assert_close

from mixup import ManifoldMixup
from tests.mixing.four import mixed, plan


class Packed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.lstm = nn.LSTM(3, 5, batch_first=True).double()
        self.after = nn.Identity()

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[PackedSequence, Tensor]:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, (last, _) = self.lstm(packed)
        return self.after(output), last


def test_packed_sequences() -> None:
    model, lengths = Packed(), torch.tensor([2, 6, 4, 6])
    x = torch.randn(4, 6, 3, dtype=torch.float64)
    (plain, last) = model(x, lengths)
    padded = pad_packed_sequence(plain, batch_first=True)[0]
    kept = torch.arange(6) < lengths.unsqueeze(1)
    for layer, whole in (("lstm", True), ("after", False)):
        output, states = ManifoldMixup(model, [layer], 1.0)(x, lengths, plan=plan(layer))[0]
        got, of = pad_packed_sequence(output, batch_first=True)
        assert of.tolist() == lengths.tolist()
        assert_close(got, mixed(padded) * kept.unsqueeze(2))
        assert_close(states[0], mixed(last[0]) if whole else last[0])


class Gated(nn.Module):
    def __init__(self, batch_first: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.gru = nn.GRU(3, 5, num_layers=2, batch_first=batch_first).double()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.gru(x)


@pytest.mark.parametrize("batch_first", [True, False])
def test_the_last_state_of_a_recurrent_layer_has_its_batch_second(batch_first: bool) -> None:
    model, x = Gated(batch_first), torch.randn(4, 4, 3, dtype=torch.float64)
    sequence, last = model(x)
    batch = 0 if batch_first else 1
    for part, dims in (("0", (batch, None)), ("1", (None, 1))):
        mixer = ManifoldMixup(model, [f"gru:{part}"], 1.0, batch_dim=batch)
        found, _ = mixer(x, plan=plan(f"gru:{part}"))
        for got, state, dim in zip(found, (sequence, last), dims, strict=True):
            expected = state if dim is None else mixed(state.movedim(dim, 0)).movedim(0, dim)
            assert_close(got, expected)


def decoder(batch_first: bool) -> nn.Module:
    torch.manual_seed(0)
    layer = nn.TransformerDecoderLayer(8, 2, 16, dropout=0.0, batch_first=batch_first)
    return nn.TransformerDecoder(layer, 1).double()


def encoder_and_decoder(batch_first: bool) -> nn.Module:
    torch.manual_seed(0)
    return nn.Transformer(8, 2, 1, 1, 16, dropout=0.0, batch_first=batch_first).double()


def attention(batch_first: bool) -> nn.Module:
    torch.manual_seed(0)
    return nn.MultiheadAttention(8, 2, batch_first=batch_first).double()


class Attends(nn.Module):
    """A model of batches first, whatever the layer in it takes; with as many steps as samples."""

    def __init__(self, layer: nn.Module, batch_first: bool, n_arguments: int) -> None:
        super().__init__()
        self.layer, self.batch_first, self.n_arguments = layer, batch_first, n_arguments

    def forward(self, x: Tensor) -> Any:
        h = x if self.batch_first else x.transpose(0, 1)
        out = self.layer(*[h] * self.n_arguments)
        first = out[0] if isinstance(out, tuple) else out
        first = first if self.batch_first else first.transpose(0, 1)
        return (first, *out[1:]) if isinstance(out, tuple) else first


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("make", [decoder, encoder_and_decoder])
def test_transformers_say_whether_batches_are_first(make: Any, batch_first: bool) -> None:
    model = Attends(make(batch_first), batch_first, 2)
    x = torch.randn(4, 4, 8, dtype=torch.float64)
    output, _ = ManifoldMixup(model, ["layer"], 1.0)(x, plan=plan("layer"))
    assert_close(output, mixed(model(x)))


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("part", [None, "0", "1"])
def test_attention_has_its_weights_by_sample(batch_first: bool, part: str | None) -> None:
    model = Attends(attention(batch_first), batch_first, 3)
    x = torch.randn(4, 4, 8, dtype=torch.float64)
    name = "layer" if part is None else f"layer:{part}"
    found, _ = ManifoldMixup(model, [name], 1.0)(x, plan=plan(name))
    for index, (got, state) in enumerate(zip(found, model(x), strict=True)):
        assert_close(got, mixed(state) if part in (None, str(index)) else state)


def test_attention_without_weights_is_mixed() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = attention(batch_first=True)

        def forward(self, x: Tensor) -> Any:
            return self.layer(x, x, x, need_weights=False)[0]

    model, x = Model(), torch.randn(4, 4, 8, dtype=torch.float64)
    output, _ = ManifoldMixup(model, ["layer"], 1.0)(x, plan=plan("layer"))
    assert_close(output, mixed(model(x)))


class SelfAttention(nn.MultiheadAttention):
    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x, x, x, need_weights=False)[0]


class LastOutput(nn.GRU):
    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x)[0]


@pytest.mark.parametrize("kind", [SelfAttention, LastOutput])
def test_a_subclass_may_return_one_tensor(kind: Any) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(kind(8, 2, batch_first=True)).double()
    x = torch.randn(4, 6, 8, dtype=torch.float64)
    output, _ = ManifoldMixup(model, ["0"], 1.0)(x, plan=plan("0"))
    assert_close(output, mixed(model(x)))


def test_a_state_that_goes_in_has_its_batch_second() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.gru = nn.GRU(3, 5, num_layers=4, batch_first=True).double()

        def forward(self, x: Tensor, state: Tensor) -> Tensor:
            return self.gru(x, state)[0]

    model = Model()
    x, state = (torch.randn(4, 4, n, dtype=torch.float64) for n in (3, 5))
    for part in ("hx", "1"):
        mixer = ManifoldMixup(model, [f"gru:{part}"], 1.0, where="before")
        output, _ = mixer(x, state, plan=plan(f"gru:{part}"))
        assert_close(output, model(x, mixed(state.transpose(0, 1)).transpose(0, 1)))
    mixer = ManifoldMixup(model, ["gru:0"], 1.0, where="before")
    assert_close(mixer(x, state, plan=plan("gru:0"))[0], model(mixed(x), state))


class OwnLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(8, 2)

    def forward(self, tgt: Tensor, memory: Tensor, **masks: Any) -> Tensor:
        return tgt + self.self_attn(tgt, memory, memory, need_weights=False)[0]


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")
@pytest.mark.parametrize("kind", ["own", "compiled"])
def test_layers_of_transformers_are_asked_as_pytorch_does(kind: str) -> None:
    torch.manual_seed(0)
    if kind == "own":
        inner: nn.Module = nn.TransformerDecoder(OwnLayer(), 1)
    else:
        inner = decoder(batch_first=False)
        inner.layers = nn.ModuleList(
            torch.compile(layer, backend="eager") for layer in inner.layers
        )
    model = Attends(inner.double(), False, 2)
    x = torch.randn(4, 4, 8, dtype=torch.float64)
    output, _ = ManifoldMixup(model, ["layer"], 1.0)(x, plan=plan("layer"))
    assert_close(output, mixed(model(x)))


def test_a_scripted_part_of_a_model_is_no_hindrance() -> None:
    torch.manual_seed(0)
    with warnings.catch_warnings():  # of its age
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(nn.Linear(8, 8))
    model = nn.Sequential(nn.Linear(8, 8), scripted).double()
    x = torch.randn(4, 8, dtype=torch.float64)
    output, _ = ManifoldMixup(model, ["0"], 1.0)(x, plan=plan("0"))
    assert_close(output, model[1](mixed(model[0](x))))
    with pytest.raises(ValueError, match="no layer matches 'missing'"):
        ManifoldMixup(model, ["missing"], 1.0)
