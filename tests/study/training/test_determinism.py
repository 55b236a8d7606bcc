"""A run's bytes do not depend on the process it runs in, nor on what ran there before."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from study.training.record import write_run
from study.training.trainer import train_run
from tests.study.training.test_trainer import METHODS, config, dataset, digest

ROOT = Path(__file__).parents[3]

# Sums over so many samples are split among threads, which moves their last bits.
RECIPE: dict[str, Any] = {"batch_size": 70_000, "steps": 4, "decay_at": [2]}
EVERYTHING = {"dropout": 0.3, "weight_decay": 0.5, "eligible": [0, 1, 3]}


def train(folder: Path) -> dict[str, str]:
    write_run(folder, train_run(config("everything", **RECIPE), dataset(150_000)))
    return digest(folder)


@pytest.fixture(autouse=True)
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "everything", EVERYTHING)


def test_after_other_work_in_the_process(tmp_path: Path) -> None:
    alone = train(tmp_path / "alone")
    torch.manual_seed(5)
    torch.set_num_threads(2)
    weights = torch.randn(300, 300, requires_grad=True)
    torch.optim.SGD([weights]).step()
    torch.nn.functional.dropout(torch.randn(700, 300) @ weights).sum().backward()
    assert torch.get_num_threads() == 2
    assert train(tmp_path / "later") == alone


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2"])
def test_in_a_fresh_process(tmp_path: Path, threads: str) -> None:
    program = (
        "from pathlib import Path; from tests.study.training import test_determinism as test; "
        "test.METHODS['everything'] = test.EVERYTHING; "
        f"test.train(Path({str(tmp_path / 'fresh')!r}))"
    )
    environment = {"OMP_NUM_THREADS": threads, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": threads}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert digest(tmp_path / "fresh") == train(tmp_path / "here")
