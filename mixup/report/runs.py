"""Every run's numbers, and the command that makes the run again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from mixup.figures.style import method_label
from mixup.report.findings import metric_label
from mixup.training.config import ExperimentConfig, RunKey, all_runs


@dataclass(frozen=True)
class RunRow:
    """A run, its values in the order of the table's metrics (NaN for none), and its command."""

    key: RunKey
    label: str
    values: Sequence[float]
    seconds: float
    command: str


@dataclass(frozen=True)
class RunsOfExperiment:
    """All runs of one experiment; ``metrics`` are (name, words)."""

    experiment: str
    metrics: Sequence[tuple[str, str]]
    rows: Sequence[RunRow]


def runs_of_experiments(
    seeds: list[int],
    experiments: Mapping[str, ExperimentConfig],
    runs: pd.DataFrame,
    seconds: Mapping[RunKey, float],
    command: Callable[[RunKey], str],
) -> list[RunsOfExperiment]:
    """Set out every run of the study.

    Args:
        seeds: the study's.
        experiments: the study's.
        runs: ``metrics/runs.csv``.
        seconds: training time of the runs of which it is known.
        command: names what makes a run again.
    """
    found = []
    for name, experiment in experiments.items():
        of_experiment = runs[runs["experiment"] == name]
        metrics = [str(metric) for metric in of_experiment["metric"].unique()]
        table = of_experiment.pivot(index=["method", "seed"], columns="metric", values="value")
        keys = all_runs(seeds, {name: experiment})
        rows = [
            RunRow(
                key,
                method_label(key.method),
                [float(table[metric][key.method, key.seed]) for metric in metrics],
                seconds.get(key, float("nan")),
                command(key),
            )
            for key in keys
        ]
        found.append(RunsOfExperiment(name, [(m, metric_label(m)) for m in metrics], rows))
    return found
