"""What a worker hands over, and what becomes of it."""

from concurrent.futures import BrokenExecutor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from study.code import code_version
from study.data.dataset import Dataset, load_dataset, save_dataset
from study.parallel.job import (
    FailedRun,
    FinishedRun,
    Job,
    do_job,
    expected_seconds,
    outcomes_of,
)
from study.paths import checkpoint_path, remove_checkpoint
from study.training.experiment import RunConfig
from study.training.trainer import train_run
from tests.study.training.interruption import each_step, stop_after  # noqa: F401 (a fixture)
from tests.training import run_config


def config(**changes: Any) -> RunConfig:
    net = {"width": 4, "depth": 2, "negative_slope": 0.2}
    recipe = {"test_fraction": 0.5, "batch_size": 8, "learning_rate": 0.01}
    return run_config("baseline", {}, 0, net, recipe | {"steps": 5, "evaluations": 1} | changes)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    labels = np.arange(32) % 2
    inputs = np.random.default_rng(0).normal(size=(32, 2)).astype(np.float32)
    dataset = Dataset(inputs, labels, np.arange(32), np.zeros(32, dtype=bool))
    save_dataset(tmp_path / "data.npz", dataset)
    return Job((config(),), tmp_path / "data.npz", code_version(), tmp_path / "checkpoints")


def test_run_arrives_as_training_gives_it(job: Job) -> None:
    (outcome,) = do_job(job)
    assert isinstance(outcome, FinishedRun)
    assert outcome.files == train_run(config(), load_dataset(job.data))


def test_runs_of_a_cohort_are_those_of_runs_alone(job: Job) -> None:
    seeds = tuple(config().model_copy(update={"seed": seed}) for seed in range(3))
    outcomes = do_job(replace(job, configs=seeds))
    for outcome, one in zip(outcomes, seeds, strict=True):
        assert isinstance(outcome, FinishedRun)
        assert outcome.files == train_run(one, load_dataset(job.data))


def test_worker_with_other_code_trains_nothing(job: Job) -> None:
    (outcome,) = do_job(replace(job, code="another"))
    assert isinstance(outcome, FailedRun)
    assert "other code" in outcome.reason


def test_error_of_a_run_is_its_reason(job: Job) -> None:
    (outcome,) = do_job(replace(job, configs=(config(batch_size=1000),)))
    assert isinstance(outcome, FailedRun)
    assert outcome.reason.startswith("experiments.test.training.batch_size = 1000 is larger")


def test_a_run_that_fails_takes_no_other_with_it(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    # as where a cohort's kernels give other bytes: its runs are trained one after another
    monkeypatch.setattr("study.training.trial.keeps_bytes", lambda *_: False)
    bad, good = do_job(replace(job, configs=(config(batch_size=1000), config())))
    assert isinstance(bad, FailedRun)
    assert isinstance(good, FinishedRun)


@pytest.mark.usefixtures("each_step")
@pytest.mark.parametrize("together", [False, True])
def test_an_interrupted_job_goes_on_from_the_checkpoints_that_it_names(
    together: bool, job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("study.training.trial.keeps_bytes", lambda *_: together)
    configs = tuple(config().model_copy(update={"seed": seed}) for seed in range(2))
    job = replace(job, configs=configs)
    undisturbed = [one.files for one in do_job(job) if isinstance(one, FinishedRun)]
    for key in job.keys:
        remove_checkpoint(checkpoint_path(key, job.checkpoints))
    stop_after(monkeypatch, 6, do_job, job)
    capsys.readouterr()
    assert [one.files for one in do_job(job) if isinstance(one, FinishedRun)] == undisturbed
    told = capsys.readouterr().err
    for key in job.keys:
        assert f"{checkpoint_path(key, job.checkpoints)}: continues after step " in told


def test_unexpected_error_gives_its_last_lines(job: Job) -> None:
    (outcome,) = do_job(job, "no data set")  # type: ignore[arg-type]
    assert isinstance(outcome, FailedRun)
    assert outcome.reason.splitlines()[-1].startswith("AttributeError: ")
    assert len(outcome.reason.splitlines()) == 4


def test_dead_worker_and_lost_job_are_told_apart(job: Job) -> None:
    dead: Future[Any] = Future()
    dead.set_exception(BrokenExecutor("gone"))
    lost: Future[Any] = Future()
    lost.cancel()
    assert "the worker died" in str(outcomes_of(job, dead))
    assert "the cluster lost it" in str(outcomes_of(job, lost))


def test_longer_and_wider_runs_are_expected_to_take_longer() -> None:
    assert expected_seconds(config(), 100, 2) < expected_seconds(config(steps=10), 100, 2)
    assert expected_seconds(config(), 100, 2) < expected_seconds(config(), 100, 784)
    assert expected_seconds(config(steps=None, epochs=2), 100, 2) == pytest.approx(
        expected_seconds(config(steps=12), 100, 2)
    )
