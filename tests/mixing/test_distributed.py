"""DistributedDataParallel: two real processes, gradients averaged over what each rank mixed."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.testing import assert_close

from mixup import MLP, ManifoldMixup
from tests.ranks import on_two_ranks

LAYERS = ["input", "hidden.*"]
STEPS = 6


def net() -> MLP:
    torch.manual_seed(0)
    return MLP(2, [8, 6], 3)


def data(rank: int, step: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(100 * step + rank)
    n = 5 if rank else 8  # batches of ranks may differ
    return torch.randn(n, 2, generator=generator), torch.randint(3, (n,), generator=generator)


def work(rank: int, folder: Path) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    for name, seed, compiled in (
        ("own", [7, rank], False), ("alike", 7, False), ("compiled", [7, rank], True),
    ):  # fmt: skip
        model: Any = DistributedDataParallel(net())
        if compiled:
            model = torch.compile(model, backend="eager")
        mixer = ManifoldMixup(model, LAYERS, 1.0, seed=seed)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        steps = []
        for step in range(STEPS):
            x, y = data(rank, step)
            before = [p.detach().clone() for p in model.parameters()]
            optimiser.zero_grad()
            output, plan = mixer(x)
            plan.loss(F.cross_entropy, output, y).backward()
            steps.append((before, plan, [p.grad.clone() for p in model.parameters()]))
            optimiser.step()
        torch.save(steps, folder / f"{name}_{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLOO_SOCKET_IFNAME", "lo")
        on_two_ranks(work, folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["own", "alike", "compiled"])
def test_ranks_mix_by_themselves_or_alike(runs: Path, name: str) -> None:
    ranks = [torch.load(runs / f"{name}_{rank}.pt", weights_only=False) for rank in range(2)]
    model = net()
    mixer = ManifoldMixup(model, LAYERS, 1.0)
    for step, ((before, plan, grads), (other_before, other_plan, other_grads)) in enumerate(
        zip(*ranks, strict=True)
    ):
        assert_close(before, other_before, rtol=0, atol=0)
        assert_close(grads, other_grads, rtol=0, atol=0)
        assert (plan.lam == other_plan.lam) is (name == "alike")
        if name == "alike":
            assert plan.layer == other_plan.layer
        with torch.no_grad():
            for parameter, value in zip(model.parameters(), before, strict=True):
                parameter.copy_(value)
        expected = []
        for rank, drawn in enumerate((plan, other_plan)):
            x, y = data(rank, step)
            output, _ = mixer(x, plan=drawn)
            loss = drawn.loss(F.cross_entropy, output, y)
            expected.append(torch.autograd.grad(loss, [*model.parameters()]))
        assert_close(grads, [(a + b) / 2 for a, b in zip(*expected, strict=True)])
