"""What is chosen on validation data: settings of a method, and when to stop."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from study.params import ParamsError, check
from study.paths import CHOICE
from study.training.experiment import ExperimentConfig, RunConfig
from study.training.split import split_for
from study.training.trainer import train, train_run
from tests.study.training.test_trainer import NET, RECIPE, config, dataset

GRID = {"alpha": [0.1, 4.0], "eligible": [[0], [1, 2]]}


def with_settings(**settings: Any) -> RunConfig:
    base = config("input", validation_fraction=0.25, steps=30, evaluations=10).model_dump()
    alpha = 2.0 if settings.get("eligible") else None
    return RunConfig.model_validate(base | {"settings": settings, "alpha": alpha})


def metrics(files: dict[str, bytes]) -> dict[str, float]:
    found: dict[str, float] = json.loads(files["metrics.json"])
    return found


def test_the_combination_with_the_least_validation_loss_is_the_run() -> None:
    chosen = train(with_settings(eligible=[0], choose=GRID), dataset(), show_progress=False)
    alone = []
    for alpha in GRID["alpha"]:
        for eligible in GRID["eligible"]:
            one = with_settings(eligible=eligible).model_copy(update={"alpha": alpha})
            alone.append(train_run(one, dataset(), show_progress=False))
    losses = [metrics(files)["validation_nll"] for files in alone]
    assert len(set(losses)) == 4
    best = alone[int(np.argmin(losses))]
    for name in ("metrics.json", "model.safetensors", "history.csv"):
        assert chosen[name] == best[name]
    rows = list(csv.DictReader(io.StringIO(chosen[CHOICE].decode())))
    assert [float(row["validation_nll"]) for row in rows] == losses
    assert [row["alpha"] for row in rows] == ["0.1", "0.1", "4.0", "4.0"]
    assert [row["eligible"] for row in rows] == ["0", "1 2", "0", "1 2"]
    assert [row["chosen"] for row in rows].index("1") == int(np.argmin(losses))


def test_test_data_choose_nothing() -> None:
    run, data = with_settings(eligible=[0], choose=GRID), dataset()
    as_is = train(run, data, show_progress=False)
    tested = np.isin(data.inputs[:, 0], split_for(run, data).test_inputs[:, 0])
    other = replace(data, inputs=np.where(tested[:, None], -data.inputs, data.inputs))
    changed = train(run, other, show_progress=False)
    assert metrics(changed)["test_nll"] != metrics(as_is)["test_nll"]
    assert changed[CHOICE] == as_is[CHOICE]


def test_a_run_stops_early_at_its_least_validation_loss() -> None:
    # of labels that follow from nothing, a net learns what does not hold elsewhere
    noise = replace(dataset(), labels=np.random.default_rng(0).integers(2, size=64))
    stopped = train_run(with_settings(early_stopping=True), noise, show_progress=False)
    to_the_end = train_run(with_settings(), noise, show_progress=False)
    assert stopped["history.csv"] == to_the_end["history.csv"]
    rows = list(csv.DictReader(io.StringIO(stopped["history.csv"].decode())))
    losses = [float(row["validation_loss"]) for row in rows]
    assert min(losses) < losses[-1]
    assert metrics(stopped)["validation_nll"] == pytest.approx(min(losses), rel=1e-12)
    assert metrics(to_the_end)["validation_nll"] == pytest.approx(losses[-1], rel=1e-12)


@pytest.mark.parametrize("recipe", [{"schedule": "cosine"}, {"optimiser": "sgd", "momentum": 0.9}])
def test_whoever_continues_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: dict[str, Any]
) -> None:
    monkeypatch.setenv("MIXUP_CHECKPOINT_SECONDS", "0")
    base = with_settings(early_stopping=True)
    recipe = base.training.model_dump() | recipe
    run = RunConfig.model_validate(base.model_dump() | {"training": recipe})
    whole = train_run(run, dataset(), tmp_path / "checkpoint", show_progress=False)
    # The checkpoint is of the last step but one.
    again = train_run(run, dataset(), tmp_path / "checkpoint", show_progress=False)
    assert again == whole


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"choose": {"weight_decay": [0.1]}}, "more than one combination"),
        ({"choose": {"alpha": [0.1, 1.0]}}, "of no effect in a plain method"),
        ({"early_stopping": True}, "validation_fraction must be > 0"),
    ],
)
def test_choices_that_cannot_be_made(settings: dict[str, Any], said: str) -> None:
    recipe = RECIPE if "early_stopping" in settings else RECIPE | {"validation_fraction": 0.2}
    methods = {"tuned": settings}
    experiment = {"data": "spirals", "net": NET, "training": recipe, "methods": methods}
    with pytest.raises(ParamsError, match=said):
        check(ExperimentConfig, experiment | {"plain": ["tuned"], "mixing": []})
