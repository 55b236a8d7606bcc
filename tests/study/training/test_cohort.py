"""Runs trained together: they draw as alone, agree to rounding, and fail one by one."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mixup.mixing.plan import MixPlan
from mixup.study.data.dataset import Dataset
from mixup.study.errors import StudyError
from mixup.study.training.cohort import train_cohort
from mixup.study.training.config import RunConfig
from mixup.study.training.member import new_members
from mixup.study.training.run import load_run, read_metrics
from mixup.study.training.stack import Stack, merge
from mixup.study.training.trainer import new_state, train_run

METHODS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "weight_decay": {"weight_decay": 0.6},
    "dropout": {"dropout": 0.3},
    "input": {"eligible": [0]},
    "hidden": {"eligible": [1, 2, 3]},
    "manifold": {"eligible": [0, 1, 2, 3]},
    "dropout_and_hidden": {"dropout": 0.3, "eligible": [1, 2, 3]},
}
NET = {"width": 16, "depth": 3, "negative_slope": 0.2}
BOTTLENECK = NET | {"bottleneck": {"layer": 2, "size": 3}}


def config(method: str, seed: int = 0, *, net: dict = NET, **recipe: Any) -> RunConfig:
    settings = METHODS.get(method) or {}
    training = {
        "test_fraction": 0.5,
        "batch_size": 8,
        "steps": 100,
        "learning_rate": 0.003,
        "evaluations": 20,
    }
    return RunConfig.model_validate(
        {
            "experiment": "test",
            "method": method,
            "seed": seed,
            "data": "test",
            "net": net,
            "training": training | recipe,
            "settings": settings,
            "alpha": 2.0 if settings.get("eligible") else None,
            "threads": 1,
        }
    )


def every_method(**options: Any) -> list[RunConfig]:
    return [config(method, seed, **options) for method in METHODS for seed in (0, 1)]


def dataset(n_classes: int = 2, n_features: int = 2) -> Dataset:
    """Make classes that overlap, so that no loss vanishes."""
    n = 66
    rng = np.random.default_rng(0)
    labels = np.arange(n) % n_classes
    inputs = rng.normal(size=(n, n_features)) + labels[:, None]
    return Dataset(inputs.astype(np.float32), labels, np.arange(n), np.zeros(n, dtype=bool))


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


def both_ways(
    configs: list[RunConfig], data: Dataset, root: Path
) -> list[tuple[RunConfig, Path, Path]]:
    """Train runs together and alone."""
    pairs = [
        (c, root / "together" / str(i), root / "alone" / str(i)) for i, c in enumerate(configs)
    ]
    torch.rand(3)  # whatever ran before must not matter
    assert train_cohort(configs, data, [together for _, together, _ in pairs]) == [None] * len(
        pairs
    )
    for one, _, alone in pairs:
        train_run(one, data, alone)
    return pairs


def assert_same_weights(together: Path, alone: Path) -> None:
    """Compare nets to float32 rounding, which Adam enlarges where a gradient nearly vanishes."""
    weights, expected = (load_file(path / "model.safetensors") for path in (together, alone))
    torch.testing.assert_close(weights, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("n_classes", "options"),
    [
        (2, {}),
        (3, {"net": BOTTLENECK}),
        (3, {"steps": None, "epochs": 25, "decay_at": [5, 15]}),
    ],
    ids=["one logit", "softmax and bottleneck", "learning-rate decay"],
)
def test_agrees_with_runs_alone(tmp_path: Path, n_classes: int, options: dict[str, Any]) -> None:
    data = dataset(n_classes, n_features=3)
    for one, together, alone in both_ways(every_method(**options), data, tmp_path):
        name = f"{one.method} {one.seed}"
        rows, expected = history(together), history(alone)
        for column in ("step", "k", "lam"):
            assert [row[column] for row in rows] == [row[column] for row in expected], name
        for column in ("loss", "train_loss", "test_loss", "train_accuracy", "test_accuracy"):
            values = ([float(row[column]) for row in part] for part in (rows, expected))
            np.testing.assert_allclose(*values, rtol=1e-3, err_msg=f"{name} {column}")
        assert_same_weights(together, alone)
        assert read_metrics(together) == pytest.approx(read_metrics(alone), rel=1e-3)


def test_methods_and_seeds_differ(tmp_path: Path) -> None:
    """The test above could not tell two runs apart that always give the same net."""
    configs = every_method()
    folders = [tmp_path / str(i) for i in range(len(configs))]
    train_cohort(configs, dataset(), folders)
    nets = [load_file(folder / "model.safetensors")["hidden.1.0.weight"] for folder in folders]
    for i, one in enumerate(nets):
        for other in nets[:i]:
            assert (one - other).abs().max() > 0.01


def test_dropout_drops_what_the_layer_drops() -> None:
    configs = [config("dropout", seed) for seed in (0, 1)] + [config("baseline")]
    data, x = dataset(), torch.randn(3, 8, 2)
    members = new_members(configs, data)
    stack, plans = Stack(members), [MixPlan.plain(8)] * 3
    outputs = [stack(x, plans, merge(plans).perm) for _ in range(3)]
    assert (outputs[0][:2] - outputs[1][:2]).abs().max() > 0.01
    for i, one in enumerate(configs):
        net = new_state(one, data).net.train()  # seeds the generator that its dropout draws from
        for output in outputs:
            torch.testing.assert_close(output[i], net(x[i]))


def test_weights_of_the_stack_are_those_of_the_nets() -> None:
    members = new_members([config("baseline", seed) for seed in (0, 1)], dataset())
    before = [new_state(member.config, dataset()).net.state_dict() for member in members]
    stack = Stack(members)
    with torch.no_grad():
        for weight in stack.weights:
            weight.add_(torch.tensor([1.0, 2.0]).view(2, *[1] * (weight.ndim - 1)))
    for i, member in enumerate(members):
        for name, tensor in member.state.net.state_dict().items():
            torch.testing.assert_close(tensor, before[i][name] + (i + 1))


@pytest.mark.parametrize("evaluations", [4, 20])
def test_a_loss_that_is_not_finite_fails_one_run_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, evaluations: int
) -> None:
    """With few evaluations the loss shows it, with many those see the spoilt net first."""
    monkeypatch.setitem(METHODS, "spoilt", {"weight_decay": 1e6})
    recipe = {"steps": 20, "evaluations": evaluations}
    configs = [config("manifold", **recipe), config("spoilt", **recipe), config("input", **recipe)]
    folders = [tmp_path / one.method for one in configs]
    data = dataset()
    first, error, last = train_cohort(configs, data, folders)
    assert first is None
    assert last is None
    with pytest.raises(StudyError) as alone:
        train_run(configs[1], data, tmp_path / "alone")
    assert error == str(alone.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["input", "manifold"]
    for folder, one in zip(folders, configs, strict=True):
        if one.method != "spoilt":
            train_run(one, data, tmp_path / "alone")
            assert_same_weights(folder, tmp_path / "alone")


@pytest.mark.parametrize(("n", "told"), [(3, "1, 2, 3"), (8, "4, 5, 6, 7, 8")])
def test_last_five_losses_reach_over_evaluations(n: int, told: str) -> None:
    """As `train_run` tells them, however few steps lie between two evaluations."""
    data = dataset()
    (member,) = new_members([config("baseline", steps=20)], data)
    for step in range(1, n + 1):
        member.note(step, float(step))
        member.evaluate(step, MixPlan.plain(8))
    member.note(n + 1, float("nan"))
    assert member.error is not None
    assert f"at step {n + 1} (before: {told}):" in member.error


def test_a_folder_that_cannot_be_written_fails_one_run_only(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    configs = [config("baseline", seed, steps=4, evaluations=1) for seed in (0, 1)]
    error, other = train_cohort(configs, dataset(), [tmp_path / "file" / "0", tmp_path / "1"])
    assert error is not None
    assert "file" in error
    assert other is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "file"]


def test_folder_has_the_files_of_a_run_and_the_size_of_the_cohort(tmp_path: Path) -> None:
    configs = [config("manifold", seed, steps=4, evaluations=2) for seed in (0, 1, 2)]
    for one, together, alone in both_ways(configs, dataset(), tmp_path):
        assert {p.name for p in together.iterdir()} == {p.name for p in alone.iterdir()}
        assert json.loads((together / "config.json").read_text())["cohort"] == 3
        assert json.loads((alone / "config.json").read_text())["cohort"] == 1
        run = load_run(together)
        assert run.config == one.model_copy(update={"cohort": 3})
        split = run.split(dataset())
        p = run.probabilities(split.test_inputs)[
            np.arange(len(split.test_labels)), split.test_labels
        ]
        assert read_metrics(together)["test_nll"] == pytest.approx(-np.log(p).mean())


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (config("input", 1, net=BOTTLENECK), "the same net"),
        (config("input", 1, learning_rate=0.1), "the same training"),
        (config("input", 1).model_copy(update={"threads": 2}), "the same threads"),
        (config("input", 1).model_copy(update={"data": "others"}), "the same data"),
    ],
)
def test_refuses_runs_of_different_kinds(tmp_path: Path, other: RunConfig, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train_cohort([config("input"), other], dataset(), [tmp_path / "0", tmp_path / "1"])


def test_refuses_too_few_folders_and_no_runs(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 runs and 0 folders"):
        train_cohort([config("input")], dataset(), [])
    with pytest.raises(ValueError, match="0 runs"):
        train_cohort([], dataset(), [])


def test_refuses_a_batch_larger_than_the_data(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"batch_size = 64 is larger than the 34"):
        train_cohort([config("input", batch_size=64)], dataset(), [tmp_path / "0"])
