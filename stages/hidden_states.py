"""Measure hidden states as features, and bottlenecks by what the paper's theorem predicts."""

from itertools import product
from pathlib import Path

from mixup.study.command import run
from mixup.study.data.dataset import load_dataset
from mixup.study.measures.features import feature_measures
from mixup.study.measures.states_config import StatesConfig
from mixup.study.measures.theorem import bottleneck_measures
from mixup.study.params import read_section
from mixup.study.tables import measures_table, write_table
from mixup.study.training.config import ExperimentConfig, KnownExperiments, RunKey, Seeds, all_runs
from mixup.study.training.run import load_run, run_folder


def main() -> None:
    seeds: list[int] = read_section(Seeds, "seeds")
    experiments: dict[str, ExperimentConfig] = read_section(KnownExperiments, "experiments")
    states: StatesConfig = read_section(StatesConfig, "states")
    states.check_fits(experiments)
    measures: dict[RunKey, dict[str, float]] = {}
    for name, methods in states.features.items():
        dataset = load_dataset(Path("data") / f"{experiments[name].data}.npz")
        trained_ones = [method for method in methods if method in experiments[name].all_methods]
        for key in (RunKey(name, *chosen) for chosen in product(trained_ones, seeds)):
            trained = load_run(run_folder(key))
            measures[key] = feature_measures(trained, dataset, states.neighbours)
    for name in states.bottlenecks:
        dataset = load_dataset(Path("data") / f"{experiments[name].data}.npz")
        for key in all_runs(seeds, {name: experiments[name]}):
            found = bottleneck_measures(load_run(run_folder(key)), dataset, states.pairs)
            measures[key] = measures.get(key, {}) | found
    write_table("metrics/hidden_states.csv", measures_table(measures))


if __name__ == "__main__":
    run(main, __doc__)
