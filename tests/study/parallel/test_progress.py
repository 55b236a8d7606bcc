"""What a person sees of many runs."""

import sys
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

from study.parallel import progress
from study.parallel.job import FailedRun, FinishedRun, Job
from study.parallel.progress import Progress
from study.params import check
from study.training.config import MethodConfig
from study.training.experiment import RunConfig


def job(*seeds: int, **settings: Any) -> Job:
    settings["settings"] = check(MethodConfig, settings)
    configs = (
        RunConfig.model_construct(experiment="own", method="m", seed=seed, **settings)
        for seed in seeds
    )
    return Job(tuple(configs), Path(), "", Path())


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bar(tqdm):  # type: ignore[type-arg]
        def __init__(self, **settings: Any) -> None:
            super().__init__(**(settings | {"disable": False, "file": None}))

    monkeypatch.setattr(progress, "tqdm", Bar)
    monkeypatch.setattr("sys.stderr", sys.stdout)  # as on a terminal, in one stream


@pytest.mark.usefixtures("on_a_terminal")
def test_the_first_line_is_not_behind_the_bar(capfd: pytest.CaptureFixture[str]) -> None:
    Progress({}, "2 worker processes").close()
    first, *_ = capfd.readouterr().out.splitlines()
    assert first == "0 runs to train on 2 worker processes"


@pytest.mark.parametrize(
    ("choose", "said"),
    [
        ({}, "2 runs to train on 2 worker processes"),
        (
            {"choose": {"weight_decay": [0.0, 0.1, 1.0]}},
            "2 runs to train on 2 worker processes, 6 trainings with those tried for a choice",
        ),
    ],
)
def test_trainings_are_counted_where_runs_choose(
    choose: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Progress({job(0, 1, **choose): 1.0}, "2 worker processes").close()
    assert capsys.readouterr().out.splitlines()[0] == said


def test_a_run_that_ended_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Progress({(both := job(0, 1)): 1.0}, "2 worker processes")
    capsys.readouterr()
    shown.end(both, [FinishedRun({}, 1.26), FailedRun("Traceback\nloss is nan")])
    shown.close()
    assert capsys.readouterr() == ("own m 0: 1.3 s\n", "FAILED own m 1: loss is nan\n")


@pytest.mark.usefixtures("on_a_terminal")
def test_all_runs_of_a_cohort_count(capfd: pytest.CaptureFixture[str]) -> None:
    both, last = job(0, 1), job(2)
    shown = Progress({both: 1.0, last: 1.0}, "2 worker processes")
    shown.end(both, [FinishedRun({}, 1.0)] * 2)
    shown.show([last])
    shown.close()
    assert "2 of 3 runs" in capfd.readouterr().err
