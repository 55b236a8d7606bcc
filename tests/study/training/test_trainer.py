"""The training loop: pairing of methods, repeatability, and that it learns."""

import csv
import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from study.data.dataset import Dataset
from study.tables import read_metrics
from study.training.experiment import RunConfig
from study.training.record import HISTORY_COLUMNS, write_run
from study.training.run import load_run
from study.training.split import split_for
from study.training.trainer import train_run
from tests.training import run_config

NET = {"width": 16, "depth": 3, "negative_slope": 0.2}
RECIPE = {
    "test_fraction": 0.5,
    "batch_size": 8,
    "steps": 20,
    "learning_rate": 0.01,
    "evaluations": 4,
}
METHODS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "dropout": {"dropout": 0.3},
    "weight_decay": {"weight_decay": 0.5},
    "input": {"eligible": [0]},
    "manifold": {"eligible": [0, 1, 2, 3]},
}


def config(method: str = "baseline", seed: int = 0, **recipe: Any) -> RunConfig:
    return run_config(method, METHODS[method], seed, NET, RECIPE | recipe)


def dataset(n: int = 64, n_classes: int = 2, n_features: int = 2) -> Dataset:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % n_classes
    inputs = rng.normal(size=(n, n_features)) + 3 * labels[:, None]
    return Dataset(inputs.astype(np.float32), labels, np.arange(n), np.zeros(n, dtype=bool))


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


def digest(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_same_seed_gives_the_same_bytes(tmp_path: Path, method: str, n_classes: int) -> None:
    for name in ("one", "two"):
        torch.rand(3)  # whatever ran before must not matter
        write_run(tmp_path / name, train_run(config(method), dataset(n_classes=n_classes)))
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    write_run(tmp_path / "other", train_run(config(method, seed=1), dataset(n_classes=n_classes)))
    assert digest(tmp_path / "one") != digest(tmp_path / "other")


def test_methods_of_a_seed_share_split_initial_weights_and_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a learning rate too small to move a weight, only what methods share can show."""
    seen: dict[str, list[torch.Tensor]] = {}
    forward = torch.nn.Module.__call__
    for method in METHODS:
        batches = seen.setdefault(method, [])

        def watch(module: Any, *args: Any, batches: list = batches, **kwargs: Any) -> Any:
            if type(module).__name__ == "MLP" and module.training and len(args[0]) == 8:
                batches.append(args[0].detach().clone())
            return forward(module, *args, **kwargs)

        monkeypatch.setattr(torch.nn.Module, "__call__", watch)
        write_run(tmp_path / method, train_run(config(method, learning_rate=1e-30), dataset()))
        monkeypatch.undo()
    weights = {m: load_file(tmp_path / m / "model.safetensors") for m in METHODS}
    for method in METHODS:
        assert all(
            torch.equal(tensor, weights["baseline"][name])
            for name, tensor in weights[method].items()
        )
        assert len(seen[method]) == RECIPE["steps"]
        if method != "input" and method != "manifold":  # these two may mix what the net is given
            assert all(map(torch.equal, seen[method], seen["baseline"]))
    # mixing keeps the batch's members: means of mixed batches equal means of plain ones
    for mixed, plain in zip(seen["input"], seen["baseline"], strict=True):
        torch.testing.assert_close(mixed.mean(0), plain.mean(0))


@pytest.mark.parametrize("method", ["baseline", "weight_decay", "input", "manifold"])
def test_lowers_its_loss(tmp_path: Path, method: str) -> None:
    write_run(tmp_path / "run", train_run(config(method, steps=300), dataset()))
    rows = history(tmp_path / "run")
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert read_metrics(tmp_path / "run")["test_accuracy"] > 0.9


def test_overfits_eight_points(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    points = Dataset(
        rng.normal(size=(16, 2)).astype(np.float32),
        np.arange(16) % 2,
        np.arange(16),
        np.zeros(16, dtype=bool),
    )
    write_run(tmp_path / "run", train_run(config(steps=1500), points))
    metrics = read_metrics(tmp_path / "run")
    assert metrics["train_accuracy"] == 1.0
    assert metrics["train_nll"] < 0.01


def test_history_has_evenly_spaced_rows_and_the_draws(tmp_path: Path) -> None:
    write_run(tmp_path / "mixed", train_run(config("manifold"), dataset()))
    write_run(tmp_path / "plain", train_run(config(), dataset()))
    mixed, plain = history(tmp_path / "mixed"), history(tmp_path / "plain")
    assert tuple(mixed[0]) == HISTORY_COLUMNS
    assert [int(row["step"]) for row in mixed] == [5, 10, 15, 20]
    assert all(int(row["k"]) in range(4) and 0 < float(row["lam"]) < 1 for row in mixed)
    assert all(row["k"] == row["lam"] == "" for row in plain)


def test_metrics_are_those_of_the_saved_net(tmp_path: Path) -> None:
    """Recompute the scores from the folder alone, by hand."""
    data = dataset()
    write_run(tmp_path / "run", train_run(config("manifold"), data))
    run = load_run(tmp_path / "run")
    split = run.split(data)
    with torch.no_grad():
        p = torch.sigmoid(run.net(split.test_inputs).double())[:, 0].numpy()
    labels = split.test_labels.numpy()
    metrics = read_metrics(tmp_path / "run")
    assert metrics["test_accuracy"] == np.mean((p > 0.5) == labels)
    assert metrics["test_nll"] == pytest.approx(-np.log(np.where(labels, p, 1 - p)).mean())
    assert metrics["test_brier"] == pytest.approx(2 * np.mean((p - labels) ** 2))
    assert float(history(tmp_path / "run")[-1]["test_loss"]) == pytest.approx(metrics["test_nll"])
    assert 0 <= metrics["low_confidence_area"] <= 1


def test_more_classes_or_features_have_no_low_confidence_area(tmp_path: Path) -> None:
    write_run(tmp_path / "run", train_run(config(), dataset(n_classes=3)))
    assert "low_confidence_area" not in read_metrics(tmp_path / "run")


ROOT_2 = math.sqrt(2)


@pytest.mark.parametrize(
    ("recipe", "rates"),
    [
        ({"decay_at": [1, 3]}, [0.5, 0.05, 0.05, 0.005]),
        ({"schedule": "cosine"}, [0.5, 0.25 + ROOT_2 / 8, 0.25, 0.25 - ROOT_2 / 8]),
    ],
)
def test_four_steps_of_sgd_are_those_worked_out_here(
    tmp_path: Path, recipe: dict[str, Any], rates: list[float]
) -> None:
    """With all 32 training points in each batch."""
    common = {"steps": 4, "batch_size": 32, "evaluations": 1}
    sgd = common | recipe | {"optimiser": "sgd", "momentum": 0.9, "learning_rate": 0.5}
    for name, changes in (("start", common | {"learning_rate": 1e-30}), ("end", sgd)):
        write_run(tmp_path / name, train_run(config(**changes), dataset()))
    net, split = load_run(tmp_path / "start").net.double(), split_for(config(), dataset())
    weights = list(net.parameters())
    velocities = [torch.zeros_like(one) for one in weights]
    for rate in rates:
        p = net(split.train_inputs.double())[:, 0].sigmoid()
        loss = -torch.where(split.train_labels == 1, p, 1 - p).log().mean()
        gradients = torch.autograd.grad(loss, weights)
        velocities = [0.9 * v + g for v, g in zip(velocities, gradients, strict=True)]
        for one, velocity in zip(weights, velocities, strict=True):
            one.data -= rate * velocity
    found = load_run(tmp_path / "end").net.double().parameters()
    torch.testing.assert_close(list(found), weights, rtol=1e-5, atol=1e-6)


def test_epochs_count_whole_batches(tmp_path: Path) -> None:
    recipe = {"steps": None, "epochs": 3, "evaluations": 1, "batch_size": 10}
    write_run(
        tmp_path / "run", train_run(config(**recipe), dataset())
    )  # 32 training points: 3 batches
    assert history(tmp_path / "run")[-1]["step"] == "9"


def test_history_watches_no_more_training_points_than_test_points(tmp_path: Path) -> None:
    """With a quarter held out, the first sixteen of 48 training points."""
    data = dataset()
    write_run(tmp_path / "run", train_run(config(test_fraction=0.25), data))
    run, last = load_run(tmp_path / "run"), history(tmp_path / "run")[-1]
    split, metrics = run.split(data), read_metrics(tmp_path / "run")
    assert (len(split.train_labels), len(split.test_labels)) == (48, 16)
    labels = split.train_labels.numpy()
    p = run.probabilities(split.train_inputs)[np.arange(48), labels]
    assert float(last["train_loss"]) == pytest.approx(-np.log(p[:16]).mean())
    assert float(last["train_accuracy"]) == np.mean(p[:16] > 0.5)
    assert metrics["train_nll"] == pytest.approx(-np.log(p).mean())
    assert metrics["train_accuracy"] == np.mean(p > 0.5)


def test_pixels_become_numbers_between_0_and_1() -> None:
    pixels = np.array([[0, 255], [51, 102]] * 8, dtype=np.uint8)
    data = Dataset(pixels, np.arange(16) % 2, np.arange(16), np.zeros(16, dtype=bool))
    split = split_for(config(), data)
    assert split.train_inputs.dtype == torch.float32
    assert set(split.train_inputs.flatten().tolist()) <= {
        0.0,
        1.0,
        *np.float32([0.2, 0.4]).tolist(),
    }
