"""What a run leaves: rows of its history, its metrics and its folder."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor

from mixup.mixing.plan import MixPlan
from study.data.dataset import Dataset
from study.errors import StudyError
from study.files import SUMS, sums, whole_folder
from study.paths import CONFIG_FILE, HISTORY_FILE, METRICS_FILE, WEIGHTS
from study.training import scores
from study.training.experiment import RunConfig
from study.training.net import layer_names
from study.training.scores import Probabilities
from study.training.split import Split

Predict = Callable[[Tensor], Probabilities]
HISTORY_COLUMNS = (
    "step",
    "loss",
    "floor",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "test_loss",
    "test_accuracy",
    "test_ece",
    "k",
    "lam",
)


Points = Mapping[str, tuple[Tensor, Tensor]]
"""Inputs and labels of the parts of a split, by name: train, test and, if there is one,
validation."""


def watched_points(split: Split) -> dict[str, tuple[Tensor, Tensor]]:
    """Choose the points that the history watches.

    Of the training points these are the first ones of the run's shuffled order, as many as the test
    set has at most. So evaluations stay cheap; metrics.json is of all training points.
    """
    n = min(len(split.train_labels), len(split.test_labels))
    points = all_points(split)
    inputs, labels = points["train"]
    return points | {"train": (inputs[:n], labels[:n])}


def all_points(split: Split) -> dict[str, tuple[Tensor, Tensor]]:
    """Name the parts of a split that have points."""
    points = {
        "train": (split.train_inputs, split.train_labels),
        "validation": (split.validation_inputs, split.validation_labels),
        "test": (split.test_inputs, split.test_labels),
    }
    return {part: pair for part, pair in points.items() if len(pair[1])}


def history_row(
    config: RunConfig,
    step: int,
    losses: Sequence[float],
    floors: Sequence[float],
    points: Points,
    predict: Predict,
    plan: MixPlan | None,
) -> dict[str, Any]:
    """Make a row of history.csv.

    Args:
        config: the run.
        step: the step just taken.
        losses: the optimised loss of every step since the row before.
        floors: the least loss that the targets of those steps allow; see `Floor`.
        points: as of `watched_points`.
        predict: maps (N, F) inputs to (N, C) probabilities.
        plan: what the step mixed, if anything.

    Raises:
        StudyError: a prediction is not finite.
    """
    row: dict[str, Any] = {
        "step": step,
        "loss": sum(losses) / len(losses),
        "floor": sum(floors) / len(floors),
    }
    predicted = {part: predict(inputs) for part, (inputs, _) in points.items()}
    for part, p in predicted.items():
        labels = as_labels(points[part][1])
        row[f"{part}_loss"] = scores.nll(p, labels)
        row[f"{part}_accuracy"] = scores.accuracy(p, labels)
    if plan:
        names = dict(
            zip(layer_names(config.settings.eligible), config.settings.eligible, strict=True)
        )
        row |= {"k": names.get(str(plan.layer), str(plan.layer)), "lam": plan.lam}
    # The step just taken may have spoilt the net, whose loss was still finite.
    if not math.isfinite(row["train_loss"] + row["test_loss"]):
        raise not_finite(config, step, [*losses, row["train_loss"]])
    row["test_ece"] = scores.ece(predicted["test"], as_labels(points["test"][1]))
    return row


def as_labels(labels: Tensor) -> NDArray[np.int64]:
    """Give the labels that go with the predictions of `predict`: (N,), or (N * L,) of 0 and 1."""
    return labels.reshape(-1).cpu().numpy()


def name_of(config: RunConfig) -> str:
    """Name a run in a sentence."""
    return f"{config.experiment} {config.method} seed {config.seed}"


def not_finite(config: RunConfig, step: int, losses: Sequence[float]) -> StudyError:
    """Make the error of a run whose loss is NaN or infinite.

    Args:
        config: the run.
        step: the step that showed it.
        losses: the last losses, the one that is not finite at the end.
    """
    last = ", ".join(f"{loss:.4g}" for loss in losses[-6:-1])
    return StudyError(
        f"loss is {losses[-1]} in {name_of(config)} at step {step} (before: {last or 'nothing'}): "
        f"try experiments.{config.experiment}.training.learning_rate below "
        f"{config.training.learning_rate}"
    )


def final_metrics(split: Split, dataset: Dataset, predict: Predict) -> dict[str, float]:
    """Compute a run's metrics.json from the predictions of its trained net.

    The low-confidence area is there where the data has two features and two classes.

    Args:
        split: the run's data.
        dataset: what it was split from.
        predict: maps (N, F) inputs to (N, C) probabilities.
    """
    test, labels = predict(split.test_inputs), as_labels(split.test_labels)
    metrics = {
        "test_accuracy": scores.accuracy(test, labels),
        "test_balanced_accuracy": scores.balanced_accuracy(test, labels),
        "test_nll": scores.nll(test, labels),
        "test_ece": scores.ece(test, labels),
        "test_brier": scores.brier(test, labels),
    }
    for part, (inputs, of_part) in all_points(split).items():
        if part != "test":
            p = predict(inputs)
            metrics[f"{part}_accuracy"] = scores.accuracy(p, as_labels(of_part))
            metrics[f"{part}_nll"] = scores.nll(p, as_labels(of_part))
    if dataset.in_a_plane:
        points = torch.cat([inputs for inputs, _ in all_points(split).values()])
        metrics["low_confidence_area"] = scores.low_confidence_area(
            lambda grid: predict(torch.from_numpy(grid).to(points.device)), points.cpu().numpy()
        )
    return metrics


def run_files(
    config: RunConfig,
    weights: Mapping[str, Tensor],
    history: Sequence[Mapping[str, Any]],
    metrics: Mapping[str, float],
) -> dict[str, bytes]:
    """Make the files of a run's folder: their names and what is in them.

    Args:
        config: the run.
        weights: the state dict of its net.
        history: rows as of `history_row`.
        metrics: as of `final_metrics`.

    Returns:
        config.json, model.safetensors, history.csv, metrics.json and SHA256SUMS.
    """
    files = {
        CONFIG_FILE: _json(config.model_dump()),
        HISTORY_FILE: csv_bytes(HISTORY_COLUMNS, history),
        METRICS_FILE: _json(metrics),
        WEIGHTS: save({name: weight.cpu() for name, weight in weights.items()}),
    }
    return files | {SUMS: sums(files)}


def csv_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Write rows as CSV; a list in a cell is its items, with spaces between."""
    table = io.StringIO()
    writer = csv.DictWriter(table, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        lists = {name: " ".join(map(str, v)) for name, v in row.items() if isinstance(v, list)}
        writer.writerow({**row, **lists})
    return table.getvalue().encode()


def write_run(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a run's folder, whole or not at all.

    Args:
        folder: takes the place of one that is there.
        files: as of `run_files`.
    """
    with whole_folder(folder) as temporary:
        for name, content in files.items():
            (temporary / name).write_bytes(content)


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()
