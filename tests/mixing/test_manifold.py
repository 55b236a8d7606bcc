"""What a mixer promises around the pass: replay, state, copies, no hook left behind."""

import copy
import io
import json
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from mixup import MLP, ManifoldMixup, MixPlan, mix
from tests import reference
from tests.mixing.models import hooks_on

PERM = torch.tensor([2, 0, 1, 3])


@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_equals_the_split_forward_pass(net: MLP, x: Tensor, k: int) -> None:
    mixer = ManifoldMixup(net, ["input", "hidden.*"], 2.0)
    output, _ = mixer(x, plan=MixPlan(net.layer_name(k), 0.3, PERM))
    state = reference.mixed(net(x, end=k).detach(), 0.3, PERM.tolist())
    assert_close(output, net(torch.from_numpy(state).float(), start=k))


def test_input_mixup_is_the_model_of_the_mixed_input(net: MLP, x: Tensor) -> None:
    mixer = ManifoldMixup(net, ["input"], 2.0, seed=0)
    before = x.clone()
    output, plan = mixer(x)
    assert torch.equal(output, net(mix(x, plan.lam, plan.perm)))
    assert torch.equal(x, before)


def test_a_plain_plan_is_a_plain_pass(net: MLP, x: Tensor) -> None:
    mixer = ManifoldMixup(net, ["input", "hidden.*"], 2.0, seed=0)
    for _ in range(2):  # before the layers were counted, and after it
        output, plan = mixer(x, plan=MixPlan.plain(len(x)))
        assert torch.equal(output, net(x))
        assert plan.layer is None
        mixer(x)


def test_a_failing_forward_leaves_nothing_switched_on(net: MLP, x: Tensor) -> None:
    mixer = ManifoldMixup(net, ["hidden.0"], 1.0, seed=0)
    handle = net.classifier.register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        mixer(x)
    handle.remove()
    assert hooks_on(net) == 0
    twin = MLP(2, [8, 6, 5], 3)
    twin.load_state_dict(net.state_dict())
    assert torch.equal(net(x), twin(x))


def test_batch_norm_and_dropout_run_once() -> None:
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    calls = [0, 0]
    model[1].register_forward_hook(lambda *_: calls.__setitem__(0, calls[0] + 1))
    model[2].register_forward_hook(lambda *_: calls.__setitem__(1, calls[1] + 1))
    mixer = ManifoldMixup(model, ["input", "0", "2"], 1.0, seed=0)
    for i in range(1, 6):
        output, plan = mixer(torch.randn(8, 2))
        plan.loss(F.cross_entropy, output, torch.arange(8) % 2).backward()
        assert calls == [i, i]
        assert model[1].num_batches_tracked == i


@pytest.mark.parametrize("options", [{}, {"per_sample": True}, {"noise": 0.3}])
def test_a_plan_replays_bit_for_bit(net: MLP, x: Tensor, options: dict[str, Any]) -> None:
    mixer = ManifoldMixup(net, ["input", "hidden.*"], 1.0, seed=0, **options)
    for _ in range(8):
        output, plan = mixer(x)
        state = mixer.state_dict()
        assert torch.equal(mixer(x, plan=plan)[0], output)
        assert torch.equal(mixer(x, plan=pickle.loads(pickle.dumps(plan)))[0], output)
        assert mixer.state_dict() == state


def test_one_seed_gives_one_training(x: Tensor) -> None:
    def train(seed: int) -> Tensor:
        torch.manual_seed(0)
        net = MLP(2, [8, 6, 5], 3)
        mixer = ManifoldMixup(net, ["input", "hidden.*"], 1.0, seed=seed)
        optimiser = torch.optim.Adam(net.parameters())
        for _ in range(10):
            output, plan = mixer(x)
            optimiser.zero_grad()
            plan.loss(F.cross_entropy, output, torch.tensor([0, 1, 2, 0])).backward()
            optimiser.step()
        return torch.cat([p.detach().flatten() for p in net.parameters()])

    assert torch.equal(train(0), train(0))
    assert not torch.equal(train(0), train(1))


def test_overfits_eight_points(net: MLP) -> None:
    x = torch.randn(8, 2, generator=torch.Generator().manual_seed(2))
    y = torch.arange(8) % 3
    mixer = ManifoldMixup(net, ["hidden.0", "hidden.1"], 0.2, seed=0)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(600):
        optimiser.zero_grad()
        output, plan = mixer(x)
        plan.loss(F.cross_entropy, output, y).backward()
        optimiser.step()
    assert (net.eval()(x).argmax(1) == y).all()


def test_state_is_saved_with_a_checkpoint_and_restored(net: MLP, x: Tensor) -> None:
    mixer = ManifoldMixup(net, ["input", "hidden.*"], 1.0, seed=0)
    mixer(x)
    file = io.BytesIO()
    torch.save({"model": net.state_dict(), "mixer": mixer.state_dict()}, file)
    expected = [mixer(x) for _ in range(5)]
    file.seek(0)
    checkpoint = torch.load(file, weights_only=True)
    resumed = ManifoldMixup(net, ["input", "hidden.*"], 1.0, seed=99)
    resumed.load_state_dict(checkpoint["mixer"])
    for output, plan in expected:
        again, drawn = resumed(x)
        assert (drawn.layer, drawn.lam) == (plan.layer, plan.lam)
        assert torch.equal(again, output)
    with pytest.raises(ValueError, match="not the state of a mixer"):
        resumed.load_state_dict(checkpoint["model"])


@pytest.mark.parametrize(
    ("name", "value"),
    [("where", "before"), ("stop_gradient", True), ("batch_dim", 1), ("skipped", "plain"),
     ("repeated", "each")],
)  # fmt: skip
def test_a_mixer_with_other_settings_refuses_the_state(net: MLP, name: str, value: Any) -> None:
    other = ManifoldMixup(net, ["hidden.0"], 1.0, **{name: value})
    state = json.loads(json.dumps(other.state_dict()))
    mixer = ManifoldMixup(net, ["hidden.0"], 1.0, seed=0)
    with pytest.raises(ValueError, match=f"of a mixer with other {name}: {value}, not "):
        mixer.load_state_dict(state)
    other.load_state_dict(state)


def test_settings_that_a_mixer_does_not_have_cannot_be_set(net: MLP) -> None:
    mixer: Any = ManifoldMixup(net, ["hidden.0"], 1.0)
    with pytest.raises(AttributeError):
        mixer.alpha = 2.0
    mixer.sampler.alpha = 2.0


def copies(value: Any) -> list[Any]:
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return [
        copy.deepcopy(value),
        pickle.loads(pickle.dumps(value)),
        torch.load(file, weights_only=False),
    ]


def test_a_copy_is_a_mixer_of_its_own(net: MLP, x: Tensor) -> None:
    mixer = ManifoldMixup(net, ["hidden.*", "input"], 1.0, seed=0)
    mixer(x)
    for other in copies(mixer):
        assert other.model is not net
        twin = copy.deepcopy(mixer)
        for _ in range(6):
            assert torch.equal(other(x)[0], twin(x)[0])
        other.close()
        assert hooks_on(other.model) == 0
        assert torch.equal(other.model(x), net(x))
    output, plan = mixer(x)
    assert torch.equal(mixer(x, plan=plan)[0], output)


def test_a_copy_of_the_model_alone_is_never_mixed(net: MLP, x: Tensor) -> None:
    mixer = ManifoldMixup(net, ["hidden.*", "input"], 1.0, seed=0)
    mixer(x)
    for other in copies(net):
        assert torch.equal(other(x), net(x))
        with mixer.mixing(MixPlan("hidden.0", 0.5, PERM)):
            mixed, plain = net(x), other(x)
        assert torch.equal(plain, other(x))
        assert not torch.equal(mixed, plain)


def test_hooks_are_on_the_model_only_while_it_is_mixed(net: MLP, x: Tensor) -> None:
    seen: list[int] = []
    net.classifier.register_forward_pre_hook(lambda *_: seen.append(hooks_on(net) - 1))
    with ManifoldMixup(net, ["hidden.*", "input"], 1.0) as mixer:
        for _ in range(4):
            mixer(x)
            net(x)
    assert seen == [4, 0, 1, 0, 1, 0, 1, 0]  # all layers are counted once, then the drawn one


def test_a_closed_mixer_mixes_no_more(net: MLP, x: Tensor) -> None:
    with ManifoldMixup(net, ["hidden.*", "input"], 1.0) as mixer:
        output, plan = mixer(x)
    output.sum().backward()  # may come later
    with pytest.raises(RuntimeError, match="the mixer is closed"):
        mixer(x)
    with pytest.raises(RuntimeError, match="the mixer is closed"), mixer.mixing(plan):
        pass
    net.eval()
    assert torch.equal(mixer(x)[0], net(x))
    mixer.close()  # again does nothing


def test_hooks_of_others_are_left_alone(net: MLP, x: Tensor) -> None:
    seen: list[Tensor] = []
    net.hidden[0].register_forward_hook(lambda _m, _a, output: seen.append(output))
    with ManifoldMixup(net, ["hidden.0"], 1.0) as mixer:
        mixer(x)
    net(x)
    assert len(seen) == 2


def test_gradient_accumulation_adds_up(net: MLP) -> None:
    x, y = torch.randn(6, 2), torch.tensor([0, 1, 2, 0, 1, 2])
    mixer = ManifoldMixup(net, ["input", "hidden.*"], 1.0, seed=0)
    plans = [MixPlan("hidden.1", 0.3, torch.tensor([1, 2, 0])), mixer.draw(3)]
    total = []
    for part, plan in zip((slice(0, 3), slice(3, 6)), plans, strict=True):
        output, _ = mixer(x[part], plan=plan)
        total.append(plan.loss(F.cross_entropy, output, y[part]))
    together = torch.autograd.grad(sum(total), [*net.parameters()], retain_graph=True)
    net.zero_grad()
    for loss in total:
        loss.backward()
    assert_close([p.grad for p in net.parameters()], [*together])


def test_a_model_of_several_mixers(net: MLP, x: Tensor) -> None:
    first = ManifoldMixup(net, ["hidden.0"], 1.0, seed=0)
    second = ManifoldMixup(net, ["hidden.1"], 1.0, seed=1)
    plan = MixPlan("hidden.0", 0.3, PERM)
    output, _ = first(x, plan=plan)
    second(x)
    second.close()
    assert torch.equal(first(x, plan=plan)[0], output)
