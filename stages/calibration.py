"""Measure every run with validation data after temperature scaling and with early stopping."""

from pathlib import Path

from mixup.study.command import run
from mixup.study.data.dataset import load_dataset
from mixup.study.measures.calibration import (
    STOPPING,
    calibrate,
    calibration_measures,
    early_stopping_measures,
)
from mixup.study.params import read_section
from mixup.study.summaries.allowances import against_baseline
from mixup.study.tables import measures_table, read_history, write_table
from mixup.study.training.config import ExperimentConfig, Experiments, RunKey, Seeds, all_runs
from mixup.study.training.run import load_run, read_metrics, run_folder


def main() -> None:
    seeds: list[int] = read_section(Seeds, "seeds")
    experiments: dict[str, ExperimentConfig] = read_section(Experiments, "experiments")
    measures: dict[RunKey, dict[str, float]] = {}
    for name, experiment in experiments.items():
        if not experiment.training.validation_fraction:
            continue
        dataset = load_dataset(Path("data") / f"{experiment.data}.npz")
        for key in all_runs(seeds, {name: experiment}):
            trained = load_run(run_folder(key))
            history = read_history(trained.folder, STOPPING)
            measures[key] = calibration_measures(calibrate(trained, dataset))
            measures[key] |= early_stopping_measures(history)
    write_table("metrics/calibration.csv", measures_table(measures))
    everything = {key: read_metrics(run_folder(key)) | found for key, found in measures.items()}
    comparisons = against_baseline(measures_table(everything))
    write_table("metrics/against_baseline.csv", comparisons)


if __name__ == "__main__":
    run(main, __doc__)
