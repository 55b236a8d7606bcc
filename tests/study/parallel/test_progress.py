"""What a person sees of many runs."""

import sys
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

from study.parallel import progress
from study.parallel.job import Job
from study.parallel.progress import Progress
from study.params import check
from study.training.config import MethodConfig
from study.training.experiment import RunConfig


def test_the_first_line_is_not_behind_the_bar(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def on_a_terminal(**settings: object) -> tqdm:
        return tqdm(**(settings | {"disable": False, "file": None}))

    monkeypatch.setattr(progress, "tqdm", on_a_terminal)
    monkeypatch.setattr("sys.stderr", sys.stdout)  # as on a terminal, in one stream
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
    settings = check(MethodConfig, choose)
    configs = tuple(
        RunConfig.model_construct(experiment="own", method="m", seed=seed, settings=settings)
        for seed in (0, 1)
    )
    Progress({Job(configs, Path(), "", Path()): 1.0}, "2 worker processes").close()
    assert capsys.readouterr().out.splitlines()[0] == said
