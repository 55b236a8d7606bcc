"""Measure where mixed points intrude on other classes, in experiments that mix the input alone."""

from pathlib import Path

import numpy as np

from mixup.study.command import run
from mixup.study.data.dataset import load_dataset
from mixup.study.measures.intrusion import (
    MixedPairs,
    auc_of_errors,
    intrusion_around,
    intrusion_shares,
    mix_pairs,
)
from mixup.study.params import read_section
from mixup.study.tables import measures_table, write_table
from mixup.study.training.config import (
    ExperimentConfig,
    Experiments,
    MixupConfig,
    RunKey,
    Seeds,
    all_runs,
)
from mixup.study.training.run import Run, Split, load_run, run_folder

PAIRS = 2_000
PAIRS_AROUND = 10_000
"""More, as only the few around each test point are looked at."""


def mixes_inputs(experiment: ExperimentConfig) -> bool:
    """Tell whether a method mixes the input alone, by the study's alpha."""
    methods = [experiment.methods[name] for name in experiment.mixing]
    return any(method.eligible == [0] and method.alpha is None for method in methods)


def pairs(states: np.ndarray, labels: np.ndarray, alpha: float, n_pairs: int) -> MixedPairs:
    """Mix the same pairs with the same lam for all methods and layers of a seed."""
    return mix_pairs(states, labels, alpha, np.random.default_rng(0), n_pairs)


def shares_by_layer(trained: Run, split: Split, alpha: float) -> dict[str, float]:
    """Measure the states of the training points, after every layer from the input on."""
    labels = split.train_labels.numpy()
    shares: dict[str, float] = {}
    for k in range(trained.config.net.depth + 1):
        states = trained.states(split.train_inputs, k)
        of_layer = intrusion_shares(states, labels, pairs(states, labels, alpha, PAIRS))
        shares |= {f"{name}_{k}": share for name, share in of_layer.items()}
    return shares


def main() -> None:
    seeds: list[int] = read_section(Seeds, "seeds")
    alpha = read_section(MixupConfig, "mixup").alpha
    experiments: dict[str, ExperimentConfig] = read_section(Experiments, "experiments")
    measures: dict[RunKey, dict[str, float]] = {}
    for name, experiment in experiments.items():
        if not mixes_inputs(experiment):
            continue
        dataset = load_dataset(Path("data") / f"{experiment.data}.npz")
        around: dict[int, np.ndarray] = {}
        for key in all_runs(seeds, {name: experiment}):
            trained = load_run(run_folder(key))
            split = trained.split(dataset)
            inputs, labels = split.test_inputs.numpy(), split.test_labels.numpy()
            if key.seed not in around:  # all methods of a seed have one split
                train = split.train_inputs.numpy(), split.train_labels.numpy()
                mixed = pairs(*train, alpha, PAIRS_AROUND)
                around[key.seed] = intrusion_around(inputs, labels, mixed)
            is_wrong = trained.probabilities(split.test_inputs).argmax(1) != labels
            measures[key] = shares_by_layer(trained, split, alpha)
            measures[key]["intrusion_auc"] = auc_of_errors(is_wrong, around[key.seed])
    write_table("metrics/intrusion.csv", measures_table(measures))


if __name__ == "__main__":
    run(main, __doc__)
