"""Every kind of model: the mixed pass equals one written by hand, in output and gradients."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from mixup import ManifoldMixup, MixPlan
from tests import reference
from tests.mixing.models import CASES, Case

PER_SAMPLE = [True, False]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def by_loop(state: Any, plan: MixPlan) -> Any:
    """Mix sample by sample, keeping the graph, in float64."""
    if not isinstance(state, Tensor):
        return [by_loop(part, plan) for part in state]
    lam = plan.lam if isinstance(plan.lam, float) else plan.lam.double()
    lams = [lam if isinstance(lam, float) else lam[i] for i in range(len(state))]
    rows = [lams[i] * state[i] + (1 - lams[i]) * state[j] for i, j in enumerate(plan.perm.tolist())]
    return torch.stack(rows)


@pytest.mark.parametrize("per_sample", PER_SAMPLE)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_equals_the_pass_written_by_hand(case: Case, n: int, per_sample: bool) -> None:
    model = case.model()
    mixer = ManifoldMixup(model, case.layers, 1.0, seed=n, per_sample=per_sample)
    # BatchNorm keeps statistics: the twin must have seen the same batches
    twin = case.model()
    for _ in range(3):
        for layer in mixer.layers:
            x, y = case.inputs(n), torch.arange(n) % 3
            drawn = mixer.draw(n)
            plan = MixPlan(layer, drawn.lam, drawn.perm)
            output, used = mixer(x, plan=plan)
            assert used is plan
            expected = case.manual(
                twin, x, lambda name, state, p=plan: by_loop(state, p) if name == p.layer else state
            )
            assert_close(output, expected)
            gradients = torch.autograd.grad(
                plan.loss(F.cross_entropy, output, y), [*model.parameters()]
            )
            onehot = F.one_hot(y, 3).double()
            targets = torch.from_numpy(reference.mixed(onehot, weights(plan), plan.perm.tolist()))
            loss = -(targets * expected.log_softmax(1)).sum(1).mean()
            assert_close(
                gradients, torch.autograd.grad(loss, [*twin.parameters()]), atol=1e-6, rtol=1e-5
            )
            assert_close(dict(model.named_buffers()), dict(twin.named_buffers()))


def weights(plan: MixPlan) -> float | list[float]:
    return plan.lam if isinstance(plan.lam, float) else plan.lam.tolist()


def test_gradients_reach_the_layers_before(case: Case) -> None:
    model = case.model()
    mixer = ManifoldMixup(model, case.layers, 2.0, seed=0)
    for layer in mixer.layers:
        model.zero_grad()
        output, plan = mixer(case.inputs(6), plan=MixPlan(layer, 0.4, torch.arange(6).roll(1)))
        plan.loss(F.cross_entropy, output, torch.arange(6) % 3).backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_a_few_steps_lower_the_loss_on_clean_data(case: Case) -> None:
    model = case.model()
    mixer = ManifoldMixup(model, case.layers, 2.0, seed=0)
    x, y = case.inputs(24), torch.arange(24) % 3
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)

    def clean_loss() -> float:
        model.eval()
        with torch.no_grad():
            loss = F.cross_entropy(model(x), y).item()
        model.train()
        return loss

    before = clean_loss()
    for _ in range(40):
        optimiser.zero_grad()
        output, plan = mixer(x)
        plan.loss(F.cross_entropy, output, y).backward()
        optimiser.step()
    assert clean_loss() < 0.8 * before


@pytest.mark.parametrize("where", ["after", "before"])
def test_nothing_is_mixed_in_eval_mode(case: Case, where: Any) -> None:
    model, twin = case.model().eval(), case.model().eval()
    mixer = ManifoldMixup(model, case.layers, 2.0, seed=0, where=where)
    state = mixer.state_dict()
    x = case.inputs(4)
    for given in (None, MixPlan(mixer.layers[0], 0.5, torch.arange(4).roll(1))):
        output, plan = mixer(x, plan=given)
        assert torch.equal(output, twin(x))
        assert plan.layer is None
        assert plan.lam == 1.0
        assert plan.perm.tolist() == [0, 1, 2, 3]
    assert mixer.state_dict() == state
    with pytest.raises(RuntimeError, match="eval mode"), mixer.mixing(mixer.draw(4)):
        model(x)


def test_calls_of_the_model_itself_are_not_mixed(case: Case) -> None:
    model, twin = case.model(), case.model()
    mixer = ManifoldMixup(model, case.layers, 2.0, seed=0)
    x = case.inputs(4)
    for _ in range(4):
        output, _ = mixer(x)
        output.sum().backward()
        assert torch.equal(model(x), twin(x))


def test_the_state_dict_is_that_of_the_plain_model(case: Case) -> None:
    model, twin = case.model(), case.model()
    with ManifoldMixup(model, case.layers, 2.0, seed=0):
        assert list(model.state_dict()) == list(twin.state_dict())
        assert type(model) is type(twin)
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def test_before_a_layer_is_after_the_one_in_front() -> None:
    def net() -> nn.Sequential:
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)).double()

    x, perm = torch.randn(5, 4, dtype=torch.float64), torch.tensor([2, 0, 1, 4, 3])
    after = ManifoldMixup(net(), ["input", "0", "1"], 1.0)
    before = ManifoldMixup(net(), ["0", "1", "2"], 1.0, where="before")
    for one, other in (("input", "0"), ("0", "1"), ("1", "2")):
        output, _ = after(x, plan=MixPlan(one, 0.3, perm))
        assert torch.equal(output, before(x, plan=MixPlan(other, 0.3, perm))[0])


@pytest.mark.parametrize("name", ["lstm", "lstm_sequence_first"])
def test_before_a_recurrent_layer_is_after_the_embedding(name: str) -> None:
    case = CASES[name]
    after = ManifoldMixup(case.model(), ["embed"], 1.0)
    before = ManifoldMixup(case.model(), ["lstm"], 1.0, where="before")
    x, perm = case.inputs(4), torch.tensor([2, 0, 3, 1])
    output, _ = after(x, plan=MixPlan("embed", 0.3, perm))
    assert_close(output, before(x, plan=MixPlan("lstm", 0.3, perm))[0])


def test_in_an_affine_net_every_layer_gives_the_same_logits() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 3)).double()
    mixer = ManifoldMixup(model, ["input", "*"], 1.0)
    x, perm = torch.randn(5, 4, dtype=torch.float64), torch.tensor([2, 0, 1, 4, 3])
    first, *others = (mixer(x, plan=MixPlan(name, 0.3, perm))[0] for name in mixer.layers)
    assert len(others) == 3
    for other in others:
        assert_close(other, first)


@pytest.mark.parametrize("identity", [True, False])
def test_lam_one_and_the_identity_permutation_are_plain_training(
    case: Case, identity: bool
) -> None:
    model, twin = case.model(), case.model()
    x, y = case.inputs(6), torch.arange(6) % 3
    perm = torch.arange(6) if identity else torch.arange(6).roll(1)
    mixer = ManifoldMixup(model, case.layers, 1.0)
    for layer in mixer.layers:
        output, plan = mixer(x, plan=MixPlan(layer, 0.3 if identity else 1.0, perm))
        loss, plain = plan.loss(F.cross_entropy, output, y), F.cross_entropy(twin(x), y)
        assert_close(loss, plain)
        assert_close(
            torch.autograd.grad(loss, [*model.parameters()]),
            torch.autograd.grad(plain, [*twin.parameters()]),
        )
