"""Training processes that are killed, and what the next one makes of it."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from study.data.dataset import save_dataset
from tests.commands import call
from tests.processes import started
from tests.study.training.test_determinism import EVERYTHING
from tests.study.training.test_trainer import NET, dataset, digest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    save_dataset(tmp_path / "data/points.npz", dataset(200))
    training = {
        "test_fraction": 0.5, "batch_size": 32, "steps": 1500, "learning_rate": 0.01,
        "evaluations": 20, "decay_at": [300, 900],
    }  # fmt: skip
    experiment = {
        "data": "points", "net": NET, "training": training,
        "plain": [], "mixing": ["everything"], "methods": {"everything": EVERYTHING},
    }  # fmt: skip
    params = {"mixup": {"alpha": 2.0}, "compute": {"threads": 1}, "experiments": {"e": experiment}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    (tmp_path / "code.json").write_text(json.dumps({"train": "as it is"}))
    return tmp_path


@contextmanager
def training(project: Path, method: str) -> Iterator[subprocess.Popen[Any]]:
    """Train in a process that writes a checkpoint after every step."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MIXUP_CHECKPOINT_SECONDS": "0"}
    command = (sys.executable, "-m", "stages.train", "e", method, "0")
    with started(*command, cwd=project, env=environment) as process:
        yield process


def train(method: str) -> str:
    """Train in this process; give what is said on stderr."""
    status, said = call("stages.train", "e", method, "0")
    assert status == 0
    return said


@pytest.mark.slow
def test_killed_run_continues_to_the_same_bytes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    method = "everything"
    run, file = project / "runs/e" / method / "0", project / "checkpoints/e" / method / "0"
    train(method)
    undisturbed = digest(run)
    shutil.rmtree(run)
    moments = random.Random(method)
    steps = []
    for _ in range(2):
        before = file.read_bytes() if file.exists() else b""
        with training(project, method) as process:
            while process.poll() is None and (not file.exists() or file.read_bytes() == before):
                time.sleep(0.01)
            time.sleep(moments.uniform(0, 0.3))
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL, "the run was over before it could be killed"
        assert not run.exists()
        steps.append(json.loads(file.read_bytes().split(b"\n")[1])["step"])
    assert steps == sorted(set(steps)), "a checkpoint was not continued from"
    assert f"continues after step {steps[-1]}\n" in train(method)
    assert digest(run) == undisturbed
    assert list(file.parent.iterdir()) == []
