"""The Lightning callback with the real Lightning, in several processes."""

import socket
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

with warnings.catch_warnings():  # its dependencies' own, at import
    warnings.simplefilter("ignore")
    pytest.importorskip("lightning.pytorch")
    from mixup.integrations.lightning import ManifoldMixupCallback

from tests.integrations.test_lightning import C, Classifier, loader, trainer
from tests.ranks import on_two_ranks

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


class Watched(ManifoldMixupCallback):
    """Keeps what was drawn in each step."""

    def __init__(self, **options: Any) -> None:
        super().__init__(["input", "net.1"], 1.0, num_classes=C, seed=5, **options)
        self.drawn: list[Any] = []

    def on_train_batch_end(self, *args: Any) -> None:
        super().on_train_batch_end(*args)
        assert self.plan is not None
        self.drawn.append((self.plan.layer, self.plan.lam, self.plan.perm.tolist()))


def fit_on_a_rank(rank: int, port: int, folder: Path) -> None:
    place = {"LOCAL_RANK": rank, "NODE_RANK": 0, "MASTER_ADDR": "localhost", "MASTER_PORT": port}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (place | {"GLOO_SOCKET_IFNAME": "lo"}).items():
            patch.setenv(name, str(value))
        drawn = []
        for epochs, start in ((4, None), (2, None), (4, "half.ckpt")):
            watched = Watched()
            run = trainer(
                folder, callbacks=[watched], max_epochs=epochs, strategy="ddp", devices=2,
                use_distributed_sampler=False,
            )  # fmt: skip
            run.fit(Classifier(), loader(), ckpt_path=start and folder / start)
            if epochs == 2:
                run.save_checkpoint(folder / "half.ckpt")
            drawn.append(watched.drawn)
        torch.save(drawn, folder / f"{rank}.pt")
        torch.distributed.destroy_process_group()


def test_every_rank_draws_for_itself_and_resumes_where_it_was(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    on_two_ranks(fit_on_a_rank, port, tmp_path)
    (first, *_), (second, *_) = ranks = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    assert not {lam for _, lam, _ in first} & {lam for _, lam, _ in second}
    for whole, half, resumed in ranks:
        assert (len(whole), len(half), len(resumed)) == (12, 6, 6)
        assert half + resumed == whole
