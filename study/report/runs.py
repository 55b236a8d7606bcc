"""Every run's numbers, and the command that makes the run again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from study.figures.style import method_label
from study.measures.catalogue import label, seen_in
from study.paths import RunKey
from study.place import from_code
from study.report.study import OWN
from study.training.experiment import ExperimentConfig, all_runs

MOST_COLUMNS = 16


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
    """All runs of one experiment; ``metrics`` are (name, words), the first ``n_first`` foremost."""

    experiment: str
    metrics: Sequence[tuple[str, str]]
    n_first: int
    rows: Sequence[RunRow]


def runs_of_experiments(
    seeds: list[int],
    experiments: Mapping[str, ExperimentConfig],
    runs: pd.DataFrame,
    seconds: Mapping[RunKey, float],
    command: Callable[[RunKey], str],
    asked: Collection[tuple[str, str]] = (),
) -> list[RunsOfExperiment]:
    """Set out every run of the study.

    Args:
        seeds: the study's.
        experiments: the study's.
        runs: ``metrics/runs.csv``.
        seconds: training time of the runs of which it is known.
        command: names what makes a run again.
        asked: (experiment, metric) of every claim; with what figures compare methods by, these are
            foremost where an experiment has more than `MOST_COLUMNS` metrics.
    """
    found = []
    for name, experiment in experiments.items():
        of_experiment = runs[runs["experiment"] == name]
        metrics, n_first = _in_order(
            [str(metric) for metric in of_experiment["metric"].unique()],
            {metric for experiment_asked, metric in asked if experiment_asked == name},
        )
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
        words = [(metric, label(metric)) for metric in metrics]
        found.append(RunsOfExperiment(name, words, n_first, rows))
    return found


def asked_of(ledger: pd.DataFrame) -> set[tuple[str, str]]:
    """List experiment and metric of every claim, and the metric of its other side."""
    sides = [ledger[["experiment", metric]].to_numpy() for metric in ("metric", "other_metric")]
    return {(str(name), str(metric)) for side in sides for name, metric in side if metric}


def run_command(experiments: dict[str, ExperimentConfig]) -> Callable[[RunKey], str]:
    """Name the stage that trains a run, as a command."""

    def command(key: RunKey) -> str:
        group = "mixing" if key.method in experiments[key.experiment].mixing else "plain"
        apart = Path("experiments", key.experiment, "dvc.yaml")  # of a study with many runs
        stage = f"train_{key.experiment}_{group}"
        if experiments[key.experiment].data == OWN and len(experiments) == 1:
            stage = f"train_{group}"
        elif apart.exists():
            stage = f"{apart}:train_{group}"
        return from_code(f"dvc repro {stage}@{key.method}-{key.seed}")

    return command


def _in_order(metrics: list[str], asked: Collection[str]) -> tuple[list[str], int]:
    if len(metrics) <= MOST_COLUMNS:
        return metrics, len(metrics)
    drawn = seen_in("methods", metrics)
    first = [metric for metric in metrics if metric in drawn or metric in asked]
    return [*first, *(metric for metric in metrics if metric not in first)], len(first)
