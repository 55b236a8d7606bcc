"""Runs trained together have the bytes of runs alone, whatever becomes of the others."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from study.data.dataset import Dataset
from study.errors import StudyError
from study.paths import RunKey
from study.training.cohort import train_cohort
from study.training.experiment import RunConfig, read_run_config
from study.training.stackable import can_stack
from study.training.trainer import train_run
from tests.study.training.kernels import needs_agreeing_products
from tests.training import run_config

ROOT = Path(__file__).parents[3]
METHODS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "weight_decay": {"weight_decay": 0.6},
    "dropout": {"dropout": 0.3},
    "noise": {"input_noise": 0.1},
    "input": {"eligible": [0]},
    "hidden": {"eligible": [1, 2, 3], "alpha": 0.5},
    "manifold": {"eligible": [0, 1, 2, 3]},
    "labels_only": {"eligible": [0, 1, 2], "mixes": "labels"},
    "features_only": {"eligible": [0, 1, 2], "mixes": "features"},
    "everything": {
        "dropout": 0.2, "weight_decay": 0.1, "input_noise": 0.2, "eligible": [0, 1, 3], "alpha": 1.0
    },
}  # fmt: skip
NET = {"width": 16, "depth": 3, "negative_slope": 0.2}
BOTTLENECK = NET | {"bottleneck": {"layer": 2, "size": 4}}
RECIPE = {
    "test_fraction": 0.5,
    "batch_size": 32,
    "steps": 20,
    "learning_rate": 0.01,
    "evaluations": 5,
}


def config(method: str, seed: int = 0, *, net: dict = NET, **recipe: Any) -> RunConfig:
    return run_config(method, METHODS[method], seed, net, RECIPE | recipe)


def every_method(**options: Any) -> list[RunConfig]:
    return [config(method, seed, **options) for method in METHODS for seed in (0, 1)]


def dataset(n_classes: int = 2, n_features: int = 2) -> Dataset:
    """Make classes that overlap, so that no loss vanishes."""
    n = 144
    rng = np.random.default_rng(0)
    labels = np.arange(n) % n_classes
    inputs = rng.normal(size=(n, n_features)) + labels[:, None]
    return Dataset(inputs.astype(np.float32), labels, np.arange(n), np.zeros(n, dtype=bool))


def assert_as_alone(configs: list[RunConfig], data: Dataset) -> None:
    torch.rand(3)  # whatever ran before must not matter
    together = train_cohort(configs, data, [None] * len(configs))
    for one, files in zip(configs, together, strict=True):
        assert files == train_run(one, data), (one.method, one.seed)


# The same bytes


@needs_agreeing_products
@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_classes", "options"),
    [
        (2, {}),
        (4, {"net": BOTTLENECK}),
        (4, {"steps": None, "epochs": 20, "decay_at": [5, 15], "net": NET | {"width": 32}}),
        (2, {"validation_fraction": 0.25, "batch_size": 20, "net": NET | {"negative_slope": 0.0}}),
    ],
    ids=["one logit", "softmax and bottleneck", "learning-rate decay", "validation and ReLU"],
)
def test_every_method_has_the_bytes_of_the_run_alone(
    n_classes: int, options: dict[str, Any]
) -> None:
    assert_as_alone(every_method(**options), dataset(n_classes, n_features=4))


@needs_agreeing_products
@pytest.mark.slow
@pytest.mark.parametrize("schedule", [{}, {"schedule": "cosine"}])
def test_runs_of_many_labels_have_the_bytes_of_the_run_alone(schedule: dict[str, Any]) -> None:
    points = dataset(2, n_features=3)
    labels = (points.inputs > [0, 0.5, 1]).astype(np.int64)
    data = Dataset(points.inputs, labels, points.group, points.official_test)
    assert_as_alone(every_method(**schedule), data)


@needs_agreeing_products
@pytest.mark.slow
@pytest.mark.parametrize("study", ["params.yaml", "full/params.yaml"])
def test_every_method_of_the_study_that_can_be_stacked(study: str) -> None:
    """With the study's nets, and the data's number of features and classes."""
    experiments = yaml.safe_load((ROOT / study).read_text())["experiments"]
    training = config("baseline", steps=3, evaluations=1).training
    for name, experiment in experiments.items():
        data = dataset(2, 2) if experiment["data"] == "spirals" else dataset(10, 784)
        of_net: dict[str, list[RunConfig]] = {}
        for method in experiment["methods"]:
            one = read_run_config(RunKey(name, method, 0), ROOT / study)
            if can_stack(one):
                same = of_net.setdefault(one.net.model_dump_json(), [])
                same.append(one.model_copy(update={"training": training}))
        for configs in of_net.values():
            assert_as_alone(configs, data)


def test_methods_and_seeds_differ() -> None:
    """The tests above could not tell two runs apart that always give the same net."""
    configs = every_method()
    nets = {
        files["model.safetensors"]
        for files in train_cohort(configs, dataset(), [None] * len(configs))
        if not isinstance(files, StudyError)
    }
    assert len(nets) == len(configs)


@needs_agreeing_products
def test_order_and_company_do_not_matter() -> None:
    configs = [config("manifold"), config("dropout", 1), config("everything", 2)]
    forth, back, alone = (
        train_cohort(part, dataset(), [None] * len(part))
        for part in (configs, configs[::-1], configs[:1])
    )
    assert forth == back[::-1]
    assert alone == forth[:1]


# One by one


@needs_agreeing_products
@pytest.mark.parametrize(
    ("evaluations", "weight_decay"),
    [(2, 1e6), (20, 1e6), (20, 1e4)],
    ids=["the loss shows it", "an evaluation does", "the loss, whose last ones are of many rows"],
)
def test_a_run_that_fails_changes_no_other(
    monkeypatch: pytest.MonkeyPatch, evaluations: int, weight_decay: float
) -> None:
    monkeypatch.setitem(METHODS, "spoilt", {"weight_decay": weight_decay})
    recipe = {"steps": 20, "evaluations": evaluations}
    configs = [config(name, **recipe) for name in ("manifold", "spoilt", "dropout")]
    data = dataset()
    first, failed, last = train_cohort(configs, data, [None] * 3)
    with pytest.raises(StudyError) as alone:
        train_run(configs[1], data)
    assert isinstance(failed, StudyError)
    assert str(failed) == str(alone.value)
    assert [first, last] == [train_run(one, data) for one in (configs[0], configs[2])]


def test_all_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "spoilt", {"weight_decay": 1e6})
    failed = train_cohort([config("spoilt", seed) for seed in (0, 1)], dataset(), [None] * 2)
    assert ["seed 0" in str(failed[0]), "seed 1" in str(failed[1])] == [True, True]


# What can be stacked


@pytest.mark.parametrize(
    ("settings", "net", "can"),
    [
        ({"dropout": 0.5, "input_noise": 0.1}, NET, True),
        ({"batch_norm": True}, NET, False),
        ({"eligible": [1], "stop_gradient": True}, NET, False),
        ({}, NET | {"width": 128}, True),
        ({}, NET | {"width": 512}, False),
        ({}, NET | {"bottleneck": {"layer": 2, "size": 512}}, False),
    ],
)
def test_what_is_known_and_small_can_be_stacked(
    monkeypatch: pytest.MonkeyPatch, settings: dict, net: dict, can: bool
) -> None:
    monkeypatch.setitem(METHODS, "chosen", settings)
    assert can_stack(config("chosen", net=net)) == can


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (config("input", 1, net=BOTTLENECK), "the same net"),
        (config("input", 1, learning_rate=0.1), "the same training"),
        (config("input", 1).model_copy(update={"threads": 2}), "the same threads"),
        (config("input", 1).model_copy(update={"data": "others"}), "the same data"),
    ],
)
def test_refuses_runs_of_different_kinds(other: RunConfig, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train_cohort([config("input"), other], dataset(), [None] * 2)


def test_refuses_what_it_cannot_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "odd", {"batch_norm": True})
    with pytest.raises(ValueError, match=r"odd seed 0 must be trained alone: .* sets batch_norm"):
        train_cohort([config("input"), config("odd")], dataset(), [None] * 2)


def test_refuses_no_runs_and_too_few_checkpoints() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        train_cohort([], dataset(), [])
    with pytest.raises(ValueError, match="zip"):
        train_cohort([config("input")], dataset(), [])


def test_refuses_a_batch_larger_than_the_data() -> None:
    with pytest.raises(StudyError, match=r"batch_size = 80 is larger than the 72"):
        train_cohort([config("input", batch_size=80)], dataset(), [None])
