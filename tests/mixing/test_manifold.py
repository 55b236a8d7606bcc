"""What a mixer promises around the pass: layers, proof, replay, state, copies, no hook behind."""

import copy
import io
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from mixup import MLP, ManifoldMixup, MixPlan, mix
from tests import reference

PERM = torch.tensor([2, 0, 1, 3])


@pytest.fixture
def net() -> MLP:
    torch.manual_seed(0)
    return MLP(2, [8, 6, 5], 3)


@pytest.fixture
def x() -> Tensor:
    return torch.randn(4, 2, generator=torch.Generator().manual_seed(1))


def hooks_on(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


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


def test_layers_are_chosen_by_name_pattern_module_and_weight(net: MLP) -> None:
    def names(layers: Any) -> tuple[str, ...]:
        return ManifoldMixup(net, layers, 2.0).layers

    assert names(["input", "hidden.0"]) == ("input", "hidden.0")
    assert names(["hidden.*"]) == ("hidden.0", "hidden.1", "hidden.2")
    assert names(["hidden.[12]", "input"]) == ("hidden.1", "hidden.2", "input")
    assert names(["hidden.*.1"]) == ("hidden.0.1", "hidden.1.1", "hidden.2.1")
    assert names([net.hidden[1], net.classifier]) == ("hidden.1", "classifier")
    assert names(iter(["input"])) == ("input",)
    mixer = ManifoldMixup(net, {"input": 1, net.hidden[0]: 3, "hidden.[12]": 2}, 2.0, seed=0)
    drawn = [mixer.draw(1).layer for _ in range(8000)]
    for name, share in (("input", 1 / 8), ("hidden.0", 3 / 8), ("hidden.1", 2 / 8)):
        assert drawn.count(name) / 8000 == pytest.approx(share, abs=0.02)


def test_a_wrapped_layer_is_the_layer_and_a_shared_one_has_its_first_name(net: MLP) -> None:
    assert ManifoldMixup(net, [nn.DataParallel(net.hidden[1])], 2.0).layers == ("hidden.1",)
    shared = nn.ReLU()
    model = nn.Sequential(nn.Linear(2, 2), shared, nn.Linear(2, 2), shared)
    assert ManifoldMixup(model, [shared], 2.0).layers == ("1",)
    assert ManifoldMixup(model, ["3"], 2.0).layers == ("3",)


def test_of_several_containers_the_first_is_named() -> None:
    model = nn.ModuleDict({"a": nn.ModuleDict(), "b": nn.ModuleList()})
    with pytest.raises(ValueError, match=r"'a' is a ModuleDict, which .*members, 'a\.\*'"):
        ManifoldMixup(model, ["[ab]"], 2.0)


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        (["hiden.0"], ValueError, r"no layer matches 'hiden\.0'; did you mean "
                                  r"'hidden\.0'.*The model has: input, hidden\.0, hidden\.0\.0"),
        (["encoder.*"], ValueError, r"no layer matches 'encoder\.\*'; The model has: input"),
        (["hidden"], ValueError, r"'hidden' is a ModuleList.*take its members, 'hidden\.\*'"),
        (["hidden.0", "hidden.*"], ValueError, r"'hidden\.0' is selected twice.*'hidden\.\*'"),
        ([], ValueError, "no layer to mix at; to train without mixing"),
        ([nn.ReLU()], ValueError, "cannot mix at ReLU: it is no part of the model"),
        ("hidden.0", TypeError, r"layers must be a list.*write \['hidden\.0'\]"),
        ([1], TypeError, "a layer must be a name or a module, got 1"),
        ({"input": 0}, ValueError, "weight of layer 'input' must be > 0"),
    ],
)  # fmt: skip
def test_layers_that_cannot_be(net: MLP, layers: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ManifoldMixup(net, layers, 2.0)
    assert hooks_on(net) == 0


@pytest.mark.parametrize(("n", "ending"), [(39, "37, 38"), (40, "37, 38 and 1 more"),
                                           (60, "37, 38 and 21 more")])  # fmt: skip
def test_of_many_layers_forty_are_named(n: int, ending: str) -> None:
    model = nn.Sequential(*(nn.ReLU() for _ in range(n)))
    with pytest.raises(ValueError, match=rf"The model has: input, 0, 1, .*, {ending}$"):
        ManifoldMixup(model, ["nowhere"], 1.0)


def test_other_bad_arguments(net: MLP) -> None:
    with pytest.raises(ValueError, match="cannot mix at MLP: it is the model itself"):
        ManifoldMixup(net, [net], 2.0)
    with pytest.raises(ValueError, match=r"where must be 'after' or 'before', got 'in'"):
        ManifoldMixup(net, ["input"], 2.0, where="in")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="alpha must be > 0 and finite, got 0"):
        ManifoldMixup(net, ["input"], 0)
    model = nn.ModuleDict({"input": nn.Linear(2, 2)})
    with pytest.raises(ValueError, match="a module named 'input' cannot be mixed at"):
        ManifoldMixup(model, [model["input"]], 2.0)
    assert hooks_on(net) == 0


class Odd(nn.Module):
    """Calls `twice` two times, `never` not, and `late` only when told."""

    def __init__(self) -> None:
        super().__init__()
        self.once, self.twice, self.never, self.late = (nn.Linear(2, 2) for _ in range(4))
        self.call_late = False

    def forward(self, x: Tensor) -> Tensor:
        x = self.twice(self.twice(self.once(x)))
        return self.late(x) if self.call_late else x


@pytest.mark.parametrize(
    ("name", "times", "advice"),
    [("twice", 2, "shared can be mixed at with repeated='first' or 'each'"),
     ("never", 0, "skipped at random can be mixed at with skipped='plain'")],
)  # fmt: skip
def test_a_layer_must_run_exactly_once(x: Tensor, name: str, times: int, advice: str) -> None:
    model = Odd()
    mixer = ManifoldMixup(model, ["once", name], 1.0, seed=0)
    message = rf"'{name}' ran {times} times \(exactly once: 'once'\); a layer that is {advice}"
    for layer in ("once", name):  # whichever is drawn first
        with pytest.raises(RuntimeError, match=message):
            mixer(x, plan=MixPlan(layer, 0.5, PERM))
    assert torch.equal(model(x), model(x))  # nothing stays switched on


def test_a_layer_that_stops_running_is_noticed_when_it_is_drawn(x: Tensor) -> None:
    model = Odd()
    model.call_late = True
    mixer = ManifoldMixup(model, ["once", "late"], 1.0)
    mixer(x)
    model.call_late = False
    mixer(x, plan=MixPlan("once", 0.5, PERM))
    with pytest.raises(RuntimeError, match="'late' ran 0 times"):
        mixer(x, plan=MixPlan("late", 0.5, PERM))


def test_a_plan_of_another_mixer_is_refused(net: MLP, x: Tensor) -> None:
    mixer = ManifoldMixup(net, ["hidden.0"], 1.0)
    with pytest.raises(ValueError, match=r"the plan mixes at 'hidden\.1', but layers are"):
        mixer(x, plan=MixPlan("hidden.1", 0.5, PERM))
    with pytest.raises(ValueError, match=r"at 'hidden\.0': .*for a batch of 3"):
        mixer(x, plan=MixPlan("hidden.0", 0.5, PERM[:3].argsort()))


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


def test_from_layers_mixes_the_input_of_flagged_layers(x: Tensor) -> None:
    layers = [(nn.Linear(2, 8), True), (nn.ReLU(), False), (nn.Linear(8, 2), True)]
    mixer = ManifoldMixup.from_layers(layers, alpha=1.0, seed=0)
    assert mixer.layers == ("0", "2")
    first, relu, last = (layer for layer, _ in layers)
    expected = last.forward(mix(relu.forward(first.forward(x)), 0.3, PERM))
    assert_close(mixer(x, plan=MixPlan("2", 0.3, PERM))[0], expected)
    expected = last.forward(relu.forward(first.forward(mix(x, 0.3, PERM))))
    assert_close(mixer(x, plan=MixPlan("0", 0.3, PERM))[0], expected)
    assert torch.equal(mixer.model.eval()(x), last(relu(first(x))))
    with pytest.raises(ValueError, match="no layer to mix at"):
        ManifoldMixup.from_layers([(nn.Linear(2, 2), False)], alpha=1.0)


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
