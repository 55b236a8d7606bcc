"""Tabulate the singular values of the states of every net with a bottleneck of over two units."""

from pathlib import Path

import pandas as pd

from mixup.study.command import run
from mixup.study.data.dataset import load_dataset
from mixup.study.measures.bottleneck import bottleneck_states
from mixup.study.measures.spectra import flatness, flatness_of_all, spectra_table
from mixup.study.params import read_section
from mixup.study.tables import SPECTRA, measures_table, write_table
from mixup.study.training.config import ExperimentConfig, Experiments, RunKey, Seeds, all_runs


def main() -> None:
    seeds: list[int] = read_section(Seeds, "seeds")
    experiments: dict[str, ExperimentConfig] = read_section(Experiments, "experiments")
    measures: dict[RunKey, dict[str, float]] = {}
    tables: list[pd.DataFrame] = []
    for name, experiment in experiments.items():
        if experiment.net.bottleneck is None or experiment.net.bottleneck.size <= 2:
            continue
        dataset = load_dataset(Path("data") / f"{experiment.data}.npz")
        for key in all_runs(seeds, {name: experiment}):
            states = bottleneck_states(key, dataset)
            spectra = spectra_table(states)
            measures[key] = flatness(spectra) | flatness_of_all(states)
            tables.append(spectra.assign(**key._asdict()))
    table = pd.concat(tables)[SPECTRA] if tables else pd.DataFrame(columns=pd.Index(SPECTRA))
    write_table("metrics/spectra.csv", table)
    write_table("metrics/flatness.csv", measures_table(measures))


if __name__ == "__main__":
    run(main, __doc__)
