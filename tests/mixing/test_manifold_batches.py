"""What a mixer takes and mixes: one side alone, structures, token ids, batches of any form."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence
from torch.testing import assert_close

from mixup import MLP, ManifoldMixup, MixPlan, mix
from tests import reference

PERM = torch.tensor([2, 0, 1, 3])


def test_one_sided_mixing(net: MLP, x: Tensor) -> None:
    y = torch.tensor([0, 1, 2, 0])
    mixer = ManifoldMixup(net, ["hidden.1"], 1.0, seed=0)
    both = mixer(x, plan=MixPlan("hidden.1", 0.3, PERM))[0]

    features = ManifoldMixup(net, ["hidden.1"], 1.0, mixes="features", seed=0)
    output, plan = features(x, plan=MixPlan("hidden.1", 0.3, PERM, "features"))
    assert torch.equal(output, both)
    assert torch.equal(plan.loss(F.cross_entropy, output, y), F.cross_entropy(output, y))

    labels = ManifoldMixup(net, ["hidden.1"], 1.0, mixes="labels", seed=0)
    output, plan = labels(x)
    assert plan.mixes == "labels"
    assert torch.equal(output, net(x))
    expected = plan.lam * F.cross_entropy(output, y)
    expected = expected + (1 - plan.lam) * F.cross_entropy(output, y[plan.perm])
    assert_close(plan.loss(F.cross_entropy, output, y), expected)


def test_noise_is_added_after_mixing(net: MLP, x: Tensor) -> None:
    seen: list[Tensor] = []
    mixer = ManifoldMixup(net, ["hidden.1"], 1.0, noise=0.5, seed=0)
    net.hidden[2].register_forward_pre_hook(lambda _m, args: seen.append(args[0]))
    with torch.no_grad():
        differences = []
        for _ in range(500):
            _, plan = mixer(x)
            clean = reference.mixed(net(x, end=2).numpy(), float(plan.lam), plan.perm.tolist())
            differences.append(seen[-1] - torch.from_numpy(clean).float())
    noise = torch.stack(differences)
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 0.5) < 0.02


def test_token_ids_are_not_mixed() -> None:
    model = nn.Sequential(nn.Identity(), nn.Embedding(10, 4), nn.Flatten(), nn.Linear(12, 2))
    model[2].positions = nn.Embedding(3, 4)
    ids = torch.zeros(3, 3, dtype=torch.int64)
    mixer = ManifoldMixup(model, ["input", "0"], 1.0)
    problem = r"cannot mix a tensor of torch\.int64: there is nothing between its values"
    advice = "; mix token ids after their embedding layer instead, such as '1'"
    with pytest.raises(TypeError, match=rf"^at 'input': {problem}{advice}$"):
        mixer(ids, plan=MixPlan("input", 0.5, PERM[:3].argsort()))
    with pytest.raises(TypeError, match=rf"^at '0': {problem}$"):
        mixer(ids, plan=MixPlan("0", 0.5, PERM[:3].argsort()))


def test_numbers_at_the_input_are_not_taken_for_token_ids(net: MLP, x: Tensor) -> None:
    mixer = ManifoldMixup(net, ["input"], 1.0)
    with pytest.raises(ValueError, match=r"^at 'input': .* for a batch of 3: .* see batch_dim$"):
        mixer(x, plan=MixPlan("input", 0.5, PERM[:3].argsort()))


class Structured(nn.Module):
    """Takes and returns structures; keyword arguments too."""

    def __init__(self) -> None:
        super().__init__()
        self.split = Split()
        self.out = nn.Linear(4, 2)

    def forward(self, batch: dict[str, Tensor], *, scale: float = 1.0) -> dict[str, Any]:
        parts = self.split(batch["a"] + batch["b"])
        return {"logits": self.out(parts["h"][0] + parts["h"][1]) * scale, "loss": None}


class Split(nn.Module):
    def forward(self, x: Tensor) -> dict[str, Any]:
        return {"h": (x, 2 * x.unsqueeze(2).expand(-1, -1, 3).mean(2)), "n": 3, "none": None}


def test_structures_in_and_out() -> None:
    model = Structured()
    a, b = torch.randn(4, 4), torch.randn(4, 4)
    mixer = ManifoldMixup(model, ["input", "split"], 1.0)
    expected = model.out(3 * torch.from_numpy(reference.mixed(a + b, 0.3, PERM.tolist())).float())
    for layer in mixer.layers:
        output, _ = mixer({"a": a, "b": b}, scale=2.0, plan=MixPlan(layer, 0.3, PERM))
        assert_close(output["logits"], 2 * expected)
        assert output["loss"] is None
        output, _ = mixer(batch={"a": a, "b": b}, plan=MixPlan(layer, 0.3, PERM))
        assert_close(output["logits"], expected)
    assert len(mixer({"a": a, "b": b})[1].perm) == 4


class Scaled(nn.Module):
    def forward(self, batch: Tensor | dict[str, Tensor], scale: Tensor) -> Tensor:
        return (batch["x"] if isinstance(batch, dict) else batch) * scale


def test_the_first_tensor_tells_the_batch_size(x: Tensor) -> None:
    mixer, scale = ManifoldMixup(Scaled(), ["input"], 1.0, seed=0), torch.tensor([2.0, 3.0])
    for batch in (x, {"x": x}):
        for output, plan in (mixer(batch, scale), mixer(batch=batch, scale=scale)):
            assert_close(output, mix(x, plan.lam, plan.perm) * scale)


def test_batches_without_a_size(net: MLP) -> None:
    mixer = ManifoldMixup(net, ["input"], 1.0)
    with pytest.raises(TypeError, match="no tensor among the arguments"):
        mixer([1.0, 2.0])
    with pytest.raises(ValueError, match=r"shape \(\), without a batch dimension 0"):
        mixer(torch.tensor(1.0))


def test_sequence_first_models() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0).double()
    model = nn.Sequential(nn.Linear(4, 8).double(), layer)
    x = torch.randn(6, 3, 4, dtype=torch.float64)  # six steps, a batch of three
    perm = torch.tensor([1, 2, 0])
    mixer = ManifoldMixup(model, ["input", "0"], 1.0, batch_dim=1)
    expected = reference.mixed(x.movedim(1, 0), 0.3, perm.tolist())
    expected_output = model(torch.from_numpy(expected).movedim(0, 1))
    for name in mixer.layers:
        assert_close(mixer(x, plan=MixPlan(name, 0.3, perm))[0], expected_output)
    assert len(mixer(x)[1].perm) == 3
    with pytest.raises(ValueError, match="dimension 0 is not the batch; see batch_dim"):
        ManifoldMixup(model, ["0"], 1.0)(x, plan=MixPlan("0", 0.3, perm))


SEQUENCE_FIRST = {
    "encoder layer": lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0),
    "encoder": lambda: nn.TransformerEncoder(
        nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0), 2, enable_nested_tensor=False
    ),
    "lstm": lambda: nn.LSTM(8, 8),
}


class Turns(nn.Module):
    """Takes batches first, and has a part that takes steps first."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.embed, self.part = nn.Linear(4, 8), part

    def forward(self, x: Tensor) -> Tensor:
        h = self.part(self.embed(x).transpose(0, 1))
        return (h[0] if isinstance(h, tuple) else h).transpose(0, 1)


@pytest.mark.parametrize("kind", SEQUENCE_FIRST)
def test_a_layer_that_takes_steps_first_is_mixed_along_the_batch(kind: str) -> None:
    model = Turns(SEQUENCE_FIRST[kind]()).double()
    x = torch.randn(4, 4, 4, dtype=torch.float64)  # as many steps as samples: no shape tells them
    perm = torch.tensor([1, 2, 3, 0])
    expected = reference.mixed(model(x).detach(), 0.3, perm.tolist())
    output, _ = ManifoldMixup(model, ["part"], 1.0)(x, plan=MixPlan("part", 0.3, perm))
    assert_close(output, torch.from_numpy(expected))


def test_a_packed_sequence_tells_the_batch_size() -> None:
    model = Packed()
    lengths = [3, 1, 2]
    packed = pack_padded_sequence(torch.randn(3, 3, 4), torch.tensor(lengths), True, False)
    mixer = ManifoldMixup(model, ["lstm"], 1.0, seed=0)
    output, plan = mixer(packed)
    assert len(plan.perm) == len(output) == len(lengths)


class Packed(nn.Module):
    """Takes a packed sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 5, batch_first=True)

    def forward(self, x: PackedSequence) -> Tensor:
        last: Tensor = self.lstm(x)[1][0][-1]
        return last


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("per_sample", [False, True])
def test_autocast(net: MLP, x: Tensor, dtype: torch.dtype, per_sample: bool) -> None:
    y = torch.tensor([0, 1, 2, 0])
    mixer = ManifoldMixup(net, ["input", "hidden.*"], 1.0, seed=0, per_sample=per_sample)
    for _ in range(8):
        with torch.autocast("cpu", dtype):
            output, plan = mixer(x)
            loss = plan.loss(F.cross_entropy, output, y)
        loss.backward()
        assert output.dtype == dtype
        full, _ = mixer(x, plan=plan)
        assert_close(output.float(), full, atol=0.05, rtol=0.05)
        assert_close(loss, plan.loss(F.cross_entropy, full, y), atol=0.05, rtol=0.05)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
