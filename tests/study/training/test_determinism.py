"""A run's bytes do not depend on the process it runs in, nor on what ran there before."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from study.training.record import write_run
from study.training.trainer import train_run
from tests.study.training.test_trainer import METHODS, config, dataset, digest

ROOT = Path(__file__).parents[3]

# Sums over so many samples are split among threads, which moves their last bits.
RECIPE: dict[str, Any] = {"batch_size": 70_000, "steps": 3, "evaluations": 3, "decay_at": [2]}
EVERYTHING = {"dropout": 0.3, "weight_decay": 0.5, "eligible": [0, 1, 3]}


def train(folder: Path) -> dict[str, str]:
    write_run(folder, train_run(config("everything", **RECIPE), dataset(150_000)))
    return digest(folder)


@pytest.fixture(autouse=True, scope="module")
def everything() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(METHODS, "everything", EVERYTHING)
        yield


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return train(tmp_path_factory.mktemp("alone") / "run")


@pytest.mark.slow
def test_after_other_work_in_the_process(tmp_path: Path, alone: dict[str, str]) -> None:
    torch.manual_seed(5)
    torch.set_num_threads(2)
    weights = torch.randn(300, 300, requires_grad=True)
    torch.optim.SGD([weights]).step()
    torch.nn.functional.dropout(torch.randn(700, 300) @ weights).sum().backward()
    assert torch.get_num_threads() == 2
    assert train(tmp_path / "later") == alone


@pytest.mark.slow
def test_in_a_fresh_process_with_more_threads(tmp_path: Path, alone: dict[str, str]) -> None:
    program = (
        "from pathlib import Path; from tests.study.training import test_determinism as test; "
        "test.METHODS['everything'] = test.EVERYTHING; "
        f"test.train(Path({str(tmp_path / 'fresh')!r}))"
    )
    environment = {"OMP_NUM_THREADS": "2", "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "2"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert digest(tmp_path / "fresh") == alone
