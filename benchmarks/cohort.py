"""Runs trained together: how much faster than alone, and whether to the same bytes.

Processor time of one thread is counted, all of a run included: set-up, batches, history,
evaluations, metrics and files. Alone and together take turns, so that whatever else the machine
does falls on both; the least of a few times counts.

    python -m benchmarks.cohort [EXPERIMENT ...] [--csv FILE]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from study.data.dataset import Dataset, load_dataset
from study.paths import RunKey
from study.training.cohort import train_cohort
from study.training.experiment import RunConfig, read_run_config
from study.training.trainer import train_run

SIZES = {"spirals": (1, 3, 6, 12, 30, 60), "mnist_2d": (1, 3)}
METHODS = {
    "spirals": ("baseline", "weight_decay", "dropout", "input", "hidden", "manifold"),
    "mnist_2d": ("baseline", "input", "manifold"),
}
RECIPES: dict[str, dict[str, Any]] = {
    "spirals": {"steps": 500, "evaluations": 5},  # one row each 100 steps, as in the study
    "mnist_2d": {"epochs": None, "steps": 30, "decay_at": [], "evaluations": 1},
}
REPEATS = 3

LINE = (
    "{experiment}, {size} together: {microseconds:.0f} microseconds a run and step, "
    "alone {ratio:.1f} times that; {bytes} bytes"
)


def runs(experiment: str, n: int) -> list[RunConfig]:
    """Configure the first n runs of an experiment, seed after seed, with a short recipe."""
    configs = []
    for i in range(n):
        seed, method = divmod(i, len(METHODS[experiment]))
        config = read_run_config(RunKey(experiment, METHODS[experiment][method], seed))
        training = config.training.model_copy(update=RECIPES[experiment])
        configs.append(config.model_copy(update={"training": training}))
    return configs


def timed(train: Callable[[], list[Any]]) -> tuple[float, list[Any]]:
    start = time.thread_time()
    trained = train()
    return time.thread_time() - start, trained


def train_together(configs: Sequence[RunConfig], dataset: Dataset, size: int) -> list[Any]:
    trained: list[Any] = []
    for start in range(0, len(configs), size):
        part = configs[start : start + size]
        trained += train_cohort(part, dataset, [None] * len(part))
    return trained


def measure(experiment: str, size: int) -> dict[str, Any]:
    """Time a cohort's step and compare its files; every method is among its runs, or those beside.

    So all sizes do about the same work.
    """
    configs = runs(experiment, max(size, len(METHODS[experiment])))
    dataset = load_dataset(Path("data") / f"{configs[0].data}.npz")
    alone = together = float("inf")
    for _ in range(REPEATS):
        seconds, apart = timed(lambda: [train_run(config, dataset) for config in configs])
        alone = min(alone, seconds)
        seconds, stacked = timed(lambda: train_together(configs, dataset, size))
        together = min(together, seconds)
    return {
        "experiment": experiment,
        "size": size,
        "microseconds": together / len(configs) / (configs[0].training.steps or 0) * 1e6,
        "ratio": alone / together,
        "bytes": "equal" if apart == stacked else "OTHER",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiments", nargs="*", default=list(SIZES))
    parser.add_argument("--csv", type=Path, help="also write the table there")
    arguments = parser.parse_args()
    rows = []
    for experiment in arguments.experiments:
        for size in SIZES[experiment]:
            rows.append(measure(experiment, size))
            print(LINE.format(**rows[-1]), flush=True)
    if arguments.csv:
        pd.DataFrame(rows).to_csv(arguments.csv, index=False)


if __name__ == "__main__":
    main()
