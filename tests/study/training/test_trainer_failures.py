"""What a run that fails says and leaves."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from mixup.models.mlp import MLP
from study.errors import StudyError
from study.tables import read_metrics
from study.training.record import write_run
from study.training.run import load_run
from study.training.trainer import train_run
from tests.study.training.test_trainer import config, dataset, digest, history


def test_batch_larger_than_the_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"batch_size = 33 is larger than the 32 training points"):
        write_run(tmp_path / "run", train_run(config(batch_size=33), dataset()))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("method", ["baseline", "manifold"])
def test_non_finite_loss_stops_and_leaves_what_was_there(tmp_path: Path, method: str) -> None:
    write_run(tmp_path / "run", train_run(config(method), dataset()))
    before = digest(tmp_path / "run")
    with pytest.raises(StudyError) as error:
        write_run(tmp_path / "run", train_run(config(method, learning_rate=1e30), dataset()))
    message = re.fullmatch(
        rf"loss is (nan|inf) in test {method} seed 0 at step (\d+) \(before: ([^)]+)\): "
        r"try experiments\.test\.training\.learning_rate below 1e\+30",
        str(error.value),
    )
    assert message, error.value
    losses = [float(loss) for loss in message[3].split(", ")]
    assert len(losses) == min(5, int(message[2]) - 1)
    assert losses[0] < 10
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert digest(tmp_path / "run") == before


def test_last_five_losses_reach_over_an_evaluation(tmp_path: Path) -> None:
    """Blown up by hand after an evaluation at each step: of a run's own losses, five are told."""
    data = dataset()
    write_run(tmp_path / "run", train_run(config(steps=8, evaluations=8), data))
    losses = [f"{float(row['loss']):.4g}" for row in history(tmp_path / "run")]
    seen = []

    def spoil(module: torch.nn.Module, inputs: Any, output: torch.Tensor) -> torch.Tensor | None:
        seen.append(module.training)
        return output * torch.nan if sum(seen) == 8 else None

    handle = torch.nn.modules.module.register_module_forward_hook(
        lambda module, x, y: spoil(module, x, y) if isinstance(module, MLP) else None
    )
    try:
        with pytest.raises(StudyError) as error:
            write_run(tmp_path / "spoilt", train_run(config(steps=8, evaluations=8), data))
    finally:
        handle.remove()
    assert f"loss is nan in test baseline seed 0 at step 8 (before: {', '.join(losses[2:7])})" in (
        str(error.value)
    )


def test_net_spoilt_by_its_last_step_is_no_success(tmp_path: Path) -> None:
    """The loss of the one step is finite, and so large a step leaves weights that are not."""
    with pytest.raises(StudyError, match=r"loss is nan in test baseline seed 0 at step 1 \(before"):
        write_run(
            tmp_path / "run",
            train_run(config(steps=1, evaluations=1, learning_rate=1e38), dataset()),
        )
    assert list(tmp_path.iterdir()) == []


def test_missing_and_damaged_runs_are_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="is missing: run `dvc repro`"):
        load_run(tmp_path / "run")
    write_run(tmp_path / "run", train_run(config(), dataset()))
    for name in ("model.safetensors", "metrics.json"):
        path = tmp_path / "run" / name
        path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(StudyError, match=r"model\.safetensors is damaged"):
        load_run(tmp_path / "run")
    with pytest.raises(StudyError, match=r"metrics\.json is damaged"):
        read_metrics(tmp_path / "run")
    assert json.loads((tmp_path / "run" / "config.json").read_text())["method"] == "baseline"
