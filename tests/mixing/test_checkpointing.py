"""Gradient checkpointing: what runs again in the backward pass is mixed again, as before."""

import threading
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint

from mixup import ManifoldMixup, MixPlan
from tests.mixing.checkpointed import LAYERS, PLANS, Deep, batch

# torch's compiler looks at gradients of tensors that have none
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")


def check_gradients(mixer: ManifoldMixup, other: ManifoldMixup, n_steps: int) -> None:
    for step in range(n_steps):
        x, y = batch(step)
        for one in (mixer, other):
            one.model.zero_grad()
            output, plan = one(x.clone())
            plan.loss(F.cross_entropy, output, y).backward()
        assert_close(*([p.grad for p in one.model.parameters()] for one in (mixer, other)))


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("per_sample", [False, True])
def test_gradients_are_those_without_checkpoints(reentrant: bool, per_sample: bool) -> None:
    model, twin = Deep(reentrant), Deep(None)
    mixer = ManifoldMixup(model, LAYERS, 1.0, seed=0, per_sample=per_sample)
    other = ManifoldMixup(twin, LAYERS, 1.0, seed=0, per_sample=per_sample)
    check_gradients(mixer, other, 12)
    assert (model.runs, twin.runs) == (24, 12)


class Nested(Deep):
    """Its outer checkpoint makes no node of the graph before the inner one."""

    def __init__(self, outer: bool, inner: bool) -> None:
        super().__init__(outer)
        self.reentrant_inside = inner

    def inner(self, h: Tensor) -> Tensor:
        return checkpoint(super().inner, h, use_reentrant=self.reentrant_inside)


@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("plan", PLANS)
def test_a_checkpoint_in_a_checkpoint(outer: bool, inner: bool, plan: MixPlan) -> None:
    grads = []
    for model in (Nested(outer, inner), Deep(None)):
        x, y = batch(0)
        output, _ = ManifoldMixup(model, LAYERS, 1.0)(x, plan=plan)
        plan.loss(F.cross_entropy, output, y).backward()
        grads.append([p.grad for p in model.parameters()])
    assert_close(*grads)


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 0, 3, 2)])
def test_passes_that_wait_for_one_backward_keep_their_own_plans(
    reentrant: bool, order: tuple[int, ...]
) -> None:
    grads = []
    for model in (Deep(reentrant), Deep(None)):
        mixer = ManifoldMixup(model, LAYERS, 1.0)
        losses = []
        for i in order:
            x, y = batch(i)
            output, plan = mixer(x, plan=PLANS[i])
            losses.append(plan.loss(F.cross_entropy, output, y))
        sum(losses[1:], losses[0]).backward()
        grads.append([p.grad for p in model.parameters()])
    assert_close(*grads)


def in_another_thread(loss: Tensor) -> None:
    """Run backward as CUDA always does: not in the thread of the forward pass."""
    failed: list[BaseException] = []

    def work() -> None:
        try:
            loss.backward()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


BACKWARD = {"here": Tensor.backward, "in another thread": in_another_thread}


@pytest.mark.parametrize("backward", BACKWARD.values(), ids=BACKWARD)
@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("inner", [False, True, None])
def test_plain_and_mixed_passes_in_one_backward(
    outer: bool, inner: bool | None, backward: Any
) -> None:
    grads = []
    for model in (Deep(outer) if inner is None else Nested(outer, inner), Deep(None)):
        mixer = ManifoldMixup(model, LAYERS, 1.0)
        (x, y), (other, _) = batch(0), batch(1)
        before = F.cross_entropy(model(x.clone()), y)
        output, plan = mixer(other.clone(), plan=PLANS[1])
        loss = plan.loss(F.cross_entropy, output, y)
        after = F.cross_entropy(model(x.clone() + 1), y)
        backward(before + loss + 2 * after)
        grads.append([p.grad for p in model.parameters()])
    assert_close(*grads)


@pytest.mark.parametrize("reentrant", [False, True])
def test_the_mixer_may_be_gone_or_closed_by_the_time_of_the_backward_pass(reentrant: bool) -> None:
    def loss_of(model: nn.Module) -> Tensor:
        with ManifoldMixup(model, LAYERS, 1.0) as mixer:
            return mixer(batch(0)[0], plan=PLANS[1])[0].square().sum()

    grads = []
    for model in (Deep(reentrant), Deep(None)):
        loss_of(model).backward()
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
        grads.append([p.grad for p in model.parameters()])
    assert_close(*grads)


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_pass_in_a_block_is_mixed_again_when_asked(reentrant: bool) -> None:
    grads = []
    for model in (Deep(reentrant), Deep(None)):
        mixer, (x, y) = ManifoldMixup(model, LAYERS, 1.0, repeated="first"), batch(0)
        plan = PLANS[1]
        with mixer.mixing(plan):
            output = model(x)
        mixer.mix_again_in_backward(output, plan)
        plan.loss(F.cross_entropy, output, y).backward()
        grads.append([p.grad for p in model.parameters()])
    assert_close(*grads)


def test_an_output_is_not_looked_into_where_no_layer_runs_again() -> None:
    """It would be refused, as no tensor is found in it."""
    mixer = ManifoldMixup(Deep(None), LAYERS, 1.0)
    with mixer.mixing(PLANS[1]):
        mixer.model(batch(0)[0])
    mixer.mix_again_in_backward("no tensor", PLANS[1])


@pytest.mark.parametrize("reentrant", [False, True])
def test_plain_passes_between_forward_and_backward_stay_plain(reentrant: bool) -> None:
    model, twin = Deep(reentrant), Deep(None)
    mixer = ManifoldMixup(model, LAYERS, 1.0)
    x, y = batch(0)
    output, plan = mixer(x.clone(), plan=PLANS[1])
    assert torch.equal(model(x.clone()), twin(x.clone()))
    plan.loss(F.cross_entropy, output, y).backward()
    assert torch.equal(model(x.clone()), twin(x.clone()))


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("reentrant", [False, True])
def test_a_failed_backward_does_not_count_as_a_pass(reentrant: bool, inside: bool) -> None:
    """Be it that it fails before a layer runs again, or inside one."""
    model = Deep(reentrant)
    mixer = ManifoldMixup(model, LAYERS, 1.0)
    output, _ = mixer(batch(0)[0], plan=PLANS[1])
    place: Any = model.blocks[1][0].register_forward_hook if inside else output.register_hook
    failing = place(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        output.sum().backward()
    failing.remove()
    plain = Deep(None)(batch(0)[0])
    assert torch.equal(model(batch(0)[0]), plain)
    mixer(batch(0)[0], plan=PLANS[2])[0].sum().backward()
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert torch.equal(model(batch(0)[0]), plain)


def test_the_mixer_itself_cannot_be_checkpointed() -> None:
    model = Deep(None)
    mixer = ManifoldMixup(model, LAYERS, 1.0, seed=0)
    x = batch(0)[0].requires_grad_()
    output = checkpoint(lambda h: mixer(h)[0], x, use_reentrant=False)
    with pytest.raises(RuntimeError, match="put checkpoints inside the model"):
        output.sum().backward()
    # with a plan it can: nothing is drawn
    output = checkpoint(lambda h: mixer(h, plan=PLANS[1])[0], x, use_reentrant=False)
    output.sum().backward()
    checkpointed = [p.grad.clone() for p in model.blocks.parameters() if p.grad is not None]
    model.zero_grad()
    mixer(x, plan=PLANS[1])[0].sum().backward()
    assert_close(checkpointed, [p.grad for p in model.blocks.parameters()])


@pytest.mark.parametrize("reentrant", [False, True, None])
def test_the_backward_pass_has_hooks_only_where_layers_may_run_again(
    reentrant: bool | None,
) -> None:
    model, seen = Deep(reentrant), []
    mixer = ManifoldMixup(model, LAYERS, 1.0)
    mixer(batch(0)[0])  # all layers are counted once
    output, _ = mixer(batch(0)[0], plan=PLANS[1])
    inside = model.blocks[1][0]
    inside.register_forward_hook(lambda *_: seen.append(len(model.blocks[1]._forward_hooks)))
    model.head.weight.register_hook(lambda _: seen.append(len(model.blocks[1]._forward_hooks)))
    output.sum().backward()
    assert seen == ([0] if reentrant is None else [0, 1])
    assert not model.blocks[1]._forward_hooks


@pytest.mark.slow
@pytest.mark.parametrize("reentrant", [False, True])
def test_with_compiled_blocks(reentrant: bool) -> None:
    torch._dynamo.reset()
    graphs = []

    def backend(graph: torch.fx.GraphModule, _: list[Tensor]) -> object:
        graphs.append(graph)
        return graph.forward

    model, twin = Deep(reentrant), Deep(None)
    for block in model.blocks:
        block.compile(backend=backend, fullgraph=True)
    mixer = ManifoldMixup(model, LAYERS, 1.0, seed=0)
    other = ManifoldMixup(twin, LAYERS, 1.0, seed=0)
    assert_close(model(batch(0)[0]), twin(batch(0)[0]))  # hooks are there, and idle
    check_gradients(mixer, other, 16)
    assert_close(model(batch(0)[0]), twin(batch(0)[0]))  # idle again
    assert len(graphs) <= 6  # blocks share theirs: mixing or not, with what gradients
    torch._dynamo.reset()


@pytest.mark.slow
def test_with_the_whole_model_compiled() -> None:
    torch._dynamo.reset()
    model, twin = Deep(False), Deep(None)
    mixer = ManifoldMixup(torch.compile(model, backend="aot_eager"), LAYERS, 1.0, seed=0)
    other = ManifoldMixup(twin, LAYERS, 1.0, seed=0)
    check_gradients(mixer, other, 12)
    torch._dynamo.reset()
