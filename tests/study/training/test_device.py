"""Runs on a GPU: repeatable there, near the CPU's, and readable on any machine."""

import json
from pathlib import Path

import pytest
import torch

from study.training.record import write_run
from study.training.run import load_run
from study.training.stackable import can_stack
from study.training.trainer import train_run
from tests.study.training.test_trainer import METHODS, config, dataset

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")


def test_cohorts_are_for_the_cpu() -> None:
    assert can_stack(config())
    assert not can_stack(config().model_copy(update={"device": "cuda"}))


@on_gpu
@pytest.mark.parametrize("method", METHODS)
def test_a_run_on_a_gpu_is_repeatable_and_near_that_on_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    run = config(method).model_copy(update={"device": "cuda"})
    files = train_run(run, dataset(), show_progress=False)
    assert files == train_run(run, dataset(), show_progress=False)
    monkeypatch.setenv("MIXUP_CHECKPOINT_SECONDS", "0")
    saved = tmp_path / "checkpoint"
    assert train_run(run, dataset(), saved, show_progress=False) == files
    assert train_run(run, dataset(), saved, show_progress=False) == files
    write_run(tmp_path / "run", files)
    assert load_run(tmp_path / "run").probabilities(torch.zeros(3, 2)).shape == (3, 2)
    if method != "dropout":  # whose numbers are drawn by the device
        here = train_run(config(method), dataset(), show_progress=False)
        loss, there = (json.loads(f["metrics.json"])["test_nll"] for f in (here, files))
        assert loss == pytest.approx(there, rel=0.05)
