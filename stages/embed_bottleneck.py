"""Keep and measure the states of every net with a bottleneck of two units."""

from pathlib import Path
from typing import Any

import numpy as np

from mixup.study.command import run
from mixup.study.data.dataset import load_dataset
from mixup.study.files import whole_folder
from mixup.study.measures.bottleneck import bottleneck_states
from mixup.study.measures.embedding import embedding_measures
from mixup.study.params import read_section
from mixup.study.tables import measures_table, write_table
from mixup.study.training.config import ExperimentConfig, Experiments, RunKey, Seeds, all_runs


def main() -> None:
    seeds: list[int] = read_section(Seeds, "seeds")
    experiments: dict[str, ExperimentConfig] = read_section(Experiments, "experiments")
    measures: dict[RunKey, dict[str, float]] = {}
    with whole_folder("embeddings") as folder:
        for name, experiment in experiments.items():
            if experiment.net.bottleneck is None or experiment.net.bottleneck.size != 2:
                continue
            dataset = load_dataset(Path("data") / f"{experiment.data}.npz")
            arrays: dict[str, Any] = {}
            for key in all_runs(seeds, {name: experiment}):
                splits = bottleneck_states(key, dataset)
                measures[key] = embedding_measures(*splits["train"], *splits["test"])
                for split, (states, labels) in splits.items():
                    arrays[f"{key.method}__{key.seed}__{split}"] = states
                    arrays[f"{key.method}__{key.seed}__{split}__labels"] = labels
            np.savez_compressed(folder / f"{name}.npz", **arrays)
    write_table("metrics/embedding.csv", measures_table(measures))


if __name__ == "__main__":
    run(main, __doc__)
