"""What must hold on a GPU; skipped where there is none."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from mixup import MLP, ManifoldMixup, MixPlan, mix
from tests import reference
from tests.mixing import checkpointed

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
LAYERS = ["input", "hidden.*"]
PERM = [2, 0, 1, 3]


def net() -> MLP:
    torch.manual_seed(0)
    return MLP(2, [8, 6], 3)


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 2, generator=generator), torch.tensor([0, 1, 2, 0])


@pytest.mark.parametrize("per_sample", [False, True])
def test_a_plan_is_where_the_batch_is_and_the_same_as_on_the_cpu(per_sample: bool) -> None:
    x, y = batch()
    mixer = ManifoldMixup(net().cuda(), LAYERS, 1.0, seed=0, per_sample=per_sample)
    twin = ManifoldMixup(net(), LAYERS, 1.0, seed=0, per_sample=per_sample)
    for _ in range(6):
        (output, plan), (expected, drawn) = mixer(x.cuda()), twin(x)
        assert plan.perm.is_cuda
        assert plan.lam.is_cuda if isinstance(plan.lam, Tensor) else plan.lam == drawn.lam
        assert plan.perm.tolist() == drawn.perm.tolist()
        loss = plan.loss(F.cross_entropy, output, y.cuda())
        assert_close(output.cpu(), expected, rtol=1e-4, atol=1e-4)
        expected_loss = drawn.loss(F.cross_entropy, expected, y).item()
        assert loss.item() == pytest.approx(expected_loss, rel=1e-4)


@pytest.mark.parametrize("per_sample", [False, True])
@pytest.mark.parametrize("hard", [False, True])
def test_a_step_waits_for_nothing(per_sample: bool, hard: bool) -> None:
    x, y = (part.cuda() for part in batch())
    target = y if hard else F.one_hot(y, 3).float()
    mixer = ManifoldMixup(net().cuda(), LAYERS, 1.0, seed=0, per_sample=per_sample)

    def step() -> None:
        output, plan = mixer(x)
        plan.loss(F.cross_entropy, output, target, linear=True).backward()

    step()
    mode = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        with pytest.raises(RuntimeError, match="synchronizing"):
            x.sum().item()  # waiting is noticed
        for _ in range(4):
            step()
    finally:
        torch.cuda.set_sync_debug_mode(mode)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_and_a_scaler(dtype: torch.dtype) -> None:
    x, y = (part.cuda() for part in batch())
    model = net().cuda()
    mixer = ManifoldMixup(model, LAYERS, 1.0, seed=0)
    optimiser, scaler = torch.optim.SGD(model.parameters(), lr=0.1), torch.amp.GradScaler()
    for _ in range(6):
        with torch.autocast("cuda", dtype):
            output, plan = mixer(x)
            loss = plan.loss(F.cross_entropy, output, y)
        full, _ = mixer(x, plan=plan)
        soft = reference.mixed(reference.onehot(y.tolist(), 3), float(plan.lam), plan.perm.tolist())
        expected = reference.cross_entropy(full.detach().cpu(), soft).mean()
        assert loss.item() == pytest.approx(expected, rel=0.05, abs=0.02)
        optimiser.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimiser)
        scaler.update()
    assert all(p.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointed_layers_between_plain_passes(reentrant: bool) -> None:
    x, _ = checkpointed.batch(0)
    grads = []
    for model in (checkpointed.Deep(reentrant).cuda(), checkpointed.Deep(None).cuda()):
        mixer = ManifoldMixup(model, checkpointed.LAYERS, 1.0)
        before = model(x.cuda()).square().sum()
        output, _ = mixer(x.cuda() + 1, plan=checkpointed.PLANS[1].to("cuda"))
        (before + output.square().sum() + 2 * model(x.cuda() + 2).square().sum()).backward()
        grads.append([p.grad for p in model.parameters()])
    assert_close(*grads)


@pytest.mark.skipif(not torch.distributed.is_nccl_available(), reason="no NCCL")
def test_ranks_on_nccl(tmp_path: Path) -> None:
    # of one rank, as NCCL wants a GPU for each: the reduction runs, and changes nothing
    store = f"file://{tmp_path}/store"
    torch.distributed.init_process_group("nccl", init_method=store, rank=0, world_size=1)
    try:
        model = net().cuda()
        wrapped = nn.parallel.DistributedDataParallel(model, device_ids=[0])
        mixer = ManifoldMixup(wrapped, LAYERS, 1.0, seed=[0, 0])
        twin = ManifoldMixup(net(), LAYERS, 1.0, seed=[0, 0])
        x, y = batch()
        for _ in range(4):
            output, plan = mixer(x.cuda())
            plan.loss(F.cross_entropy, output, y.cuda()).backward()
            expected, drawn = twin(x)
            drawn.loss(F.cross_entropy, expected, y).backward()
    finally:
        torch.distributed.destroy_process_group()
    for one, two in zip(model.parameters(), twin.model.parameters(), strict=True):
        assert_close(one.grad.cpu(), two.grad, rtol=1e-3, atol=1e-4)


def test_infinities() -> None:
    h = torch.tensor([[-torch.inf, 1.0], [-torch.inf, 2.0]]).cuda()
    mixed = mix(h, 0.25, torch.tensor([1, 0]))
    assert mixed.tolist() == [[-torch.inf, 1.75], [-torch.inf, 1.25]]


def test_a_pass_recorded_as_a_cuda_graph_replays_its_plan() -> None:
    x, _ = batch()
    given, model = x.cuda(), net().cuda()
    mixer = ManifoldMixup(model, LAYERS, 1.0)
    plan = MixPlan("hidden.0", 0.3, torch.tensor(PERM)).to("cuda")
    side = torch.cuda.Stream()
    with torch.cuda.stream(side), torch.no_grad():
        for _ in range(3):
            mixer(given, plan=plan)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.no_grad(), torch.cuda.graph(graph):
        output, _ = mixer(given, plan=plan)
    given.copy_(2 * x)
    graph.replay()
    assert_close(output, mixer(2 * x.cuda(), plan=plan)[0].detach())
    with (
        pytest.raises(RuntimeError, match="a plan drawn while a CUDA graph is recorded"),
        torch.no_grad(),
        torch.cuda.graph(torch.cuda.CUDAGraph()),
    ):
        mixer(given)
