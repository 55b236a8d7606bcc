"""The runs of a study that something is measured on, and the table that their measures make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from study.data.dataset import Dataset, load_dataset
from study.paths import RunKey, data_file, run_folder
from study.tables import measures_table, write_table
from study.training.experiment import ExperimentConfig, all_runs, read_experiments
from study.training.run import Run, load_run


@dataclass(frozen=True)
class TrainedRun:
    """A run of the study, with its experiment and the data that it was trained on."""

    key: RunKey
    experiment: ExperimentConfig
    run: Run
    dataset: Dataset

    def beside(self, method: str) -> Run | None:
        """Load the run of another method on the same seed; None if the experiment lacks it.

        Raises:
            StudyError: its folder is missing or damaged.
        """
        if method not in self.experiment.all_methods:
            return None
        return load_run(run_folder(self.key._replace(method=method)), self.dataset)


def runs_where(
    applies: Callable[[RunKey, ExperimentConfig], bool],
    fits: Callable[[Dataset], bool] | None = None,
) -> Iterator[TrainedRun]:
    """Load the runs that a measure applies to, in the order of params.yaml.

    Args:
        applies: tells by a run's name and its experiment.
        fits: tells by the data, where that is needed.

    Raises:
        StudyError: such a run or its data are missing or damaged.
    """
    seeds, experiments = read_experiments()
    for name, experiment in experiments.items():
        keys = [key for key in all_runs(seeds, {name: experiment}) if applies(key, experiment)]
        if not keys:
            continue
        dataset = load_dataset(data_file(experiment.data))
        if fits and not fits(dataset):
            continue
        for key in keys:
            yield TrainedRun(key, experiment, load_run(run_folder(key), dataset), dataset)


def write_measures(path: Path | str, measures: Mapping[RunKey, Mapping[str, float]]) -> None:
    """Write the measures of runs as a table, which `stages.summarize` takes."""
    write_table(path, measures_table(measures))
