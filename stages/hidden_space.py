"""Measure the hidden states of every net with a two-unit bottleneck, of two classes in a plane."""

from pathlib import Path

from mixup.study.command import run
from mixup.study.data.dataset import load_dataset
from mixup.study.measures.hidden import hidden_measures, in_a_plane
from mixup.study.params import read_section
from mixup.study.tables import measures_table, write_table
from mixup.study.training.config import ExperimentConfig, Experiments, RunKey, Seeds, all_runs
from mixup.study.training.run import load_run, run_folder


def main() -> None:
    seeds: list[int] = read_section(Seeds, "seeds")
    experiments: dict[str, ExperimentConfig] = read_section(Experiments, "experiments")
    measures: dict[RunKey, dict[str, float]] = {}
    for name, experiment in experiments.items():
        dataset = load_dataset(Path("data") / f"{experiment.data}.npz")
        for key in all_runs(seeds, {name: experiment}):
            bottleneck = experiment.net_of(key.method).bottleneck
            if in_a_plane(dataset) and bottleneck and bottleneck.size == 2:
                measures[key] = hidden_measures(load_run(run_folder(key)), dataset)
    write_table("metrics/hidden_space.csv", measures_table(measures))


if __name__ == "__main__":
    run(main, __doc__)
