"""Runs trained together: what a step of a run costs, and how far results are from those alone.

Processor time of one thread is counted, all of a run included: set-up, batches, history,
evaluations, metrics and folders. Alone and together take turns, so that whatever else the machine
does falls on both; the least of a few times counts. The spirals' six methods are mixed.

Agreement is of whole runs. A run trained together differs from the run alone by rounding, which
training can enlarge; so does a run alone whose initial weights are nudged by one unit in the last
place, the yardstick here.

    python -m benchmarks.cohort [speed] [agreement] [--csv FILE]
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from safetensors.torch import load_file

from mixup.study.data.dataset import Dataset, load_dataset
from mixup.study.training import trainer
from mixup.study.training.checkpoint import State
from mixup.study.training.cohort import train_cohort
from mixup.study.training.config import RunConfig, RunKey, read_run_config
from mixup.study.training.trainer import new_state, train_run

SIZES = {"spirals": (1, 3, 10, 30, 60, 100), "mnist_2d": (1, 3)}
METHODS = {
    "spirals": ("baseline", "weight_decay", "dropout", "input", "hidden", "manifold"),
    "mnist_2d": ("baseline", "input", "manifold"),
}
SPEED_RECIPES = {
    "spirals": {"steps": 500, "evaluations": 5},  # one row each 100 steps, as in the study
    "mnist_2d": {"epochs": None, "steps": 30, "decay_at": [], "evaluations": 1},
}
REPEATS = 3
SEEDS = range(5)

SPEED = (
    "{experiment}, {size} together: {microseconds:.0f} microseconds a run and step, "
    "alone {ratio:.1f} times that"
)
AGREEMENT = (
    "{experiment} {method}, {steps} steps: weights differ by at most {weights:.1e}, test accuracy "
    "{test_accuracy:.4f}, test NLL {test_nll:.4f} (nudged alone: {nudged_weights:.1e}, "
    "{nudged_test_accuracy:.4f}, {nudged_test_nll:.4f})"
)


def runs(experiment: str, n: int, recipe: dict[str, Any]) -> list[RunConfig]:
    """Configure the first n runs of an experiment, seed after seed, with a recipe changed."""
    configs = []
    for i in range(n):
        seed, method = divmod(i, len(METHODS[experiment]))
        config = read_run_config(RunKey(experiment, METHODS[experiment][method], seed))
        training = config.training.model_copy(update=recipe)
        configs.append(config.model_copy(update={"training": training}))
    return configs


def data_of(experiment: str) -> Dataset:
    return load_dataset(Path("data") / f"{runs(experiment, 1, {})[0].data}.npz")


def train_all(configs: Sequence[RunConfig], dataset: Dataset, root: Path, size: int) -> None:
    """Train runs ``size`` together, 0 for alone, into numbered folders."""
    folders = [root / str(i) for i in range(len(configs))]
    if not size:
        for config, folder in zip(configs, folders, strict=True):
            train_run(config, dataset, folder)
    for start in range(0, len(configs), size) if size else ():
        part = slice(start, start + size)
        errors = train_cohort(configs[part], dataset, folders[part])
        assert not any(errors), errors


def measure_speed(experiment: str) -> list[dict[str, Any]]:
    """Time a run's step for each size of a cohort, in turns with runs alone.

    Every method is among them at each size, so that all do about the same work.
    """
    dataset, sizes = data_of(experiment), (0, *SIZES[experiment])
    best = dict.fromkeys(sizes, float("inf"))
    for _, size in product(range(REPEATS), sizes):
        configs = runs(experiment, max(size, len(METHODS[experiment])), SPEED_RECIPES[experiment])
        with tempfile.TemporaryDirectory() as root:
            start = time.thread_time()
            train_all(configs, dataset, Path(root), size)
            seconds = time.thread_time() - start
        steps = len(configs) * (configs[0].training.steps or 0)
        best[size] = min(best[size], seconds / steps)
    return [
        {
            "experiment": experiment,
            "size": size,
            "microseconds": best[size] * 1e6,
            "ratio": best[0] / best[size],
        }
        for size in SIZES[experiment]
    ]


def nudged_state(config: RunConfig, dataset: Dataset) -> State:
    state = new_state(config, dataset)
    with torch.no_grad():
        for parameter in state.net.parameters():
            parameter.copy_(torch.nextafter(parameter, torch.full_like(parameter, torch.inf)))
    return state


def difference(one: Path, other: Path) -> dict[str, float]:
    """Compare two folders: the largest difference of a weight, and those of the metrics."""
    weights, others = (load_file(folder / "model.safetensors") for folder in (one, other))
    metrics, other_metrics = (
        json.loads((folder / "metrics.json").read_text()) for folder in (one, other)
    )
    return {
        "weights": max(float((weights[name] - others[name]).abs().max()) for name in weights),
        **{
            name: abs(metrics[name] - other_metrics[name]) for name in ("test_accuracy", "test_nll")
        },
    }


def measure_agreement(experiment: str, steps: int) -> list[dict[str, Any]]:
    """Compare runs together and nudged runs with runs alone; the largest difference of the seeds.

    Weights, accuracy as a share, and nats.
    """
    dataset, methods = data_of(experiment), METHODS[experiment]
    recipe = {"steps": steps, "evaluations": 1}
    configs = runs(experiment, len(SEEDS) * len(methods), recipe)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        train_all(configs, dataset, root / "alone", 0)
        train_all(configs, dataset, root / "together", len(configs))
        with patch.object(trainer, "new_state", nudged_state):
            train_all(configs, dataset, root / "nudged", 0)
        rows = []
        for method in methods:
            row: dict[str, Any] = {"experiment": experiment, "method": method, "steps": steps}
            chosen = [str(i) for i, config in enumerate(configs) if config.method == method]
            for prefix, kind in (("", "together"), ("nudged_", "nudged")):
                found = [difference(root / "alone" / i, root / kind / i) for i in chosen]
                row |= {prefix + name: max(one[name] for one in found) for name in found[0]}
            rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", default=["speed", "agreement"])
    parser.add_argument("--csv", type=Path, help="also write the table of speed there")
    arguments = parser.parse_args()
    if "speed" in arguments.what:
        rows = []
        for experiment in SIZES:
            rows += measure_speed(experiment)
        for row in rows:
            print(SPEED.format(**row), flush=True)
        if arguments.csv:
            with arguments.csv.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, rows[0], lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
    if "agreement" in arguments.what:
        for steps in (100, 1000, 10_000):
            for row in measure_agreement("spirals", steps):
                print(AGREEMENT.format(**row), flush=True)


if __name__ == "__main__":
    main()
