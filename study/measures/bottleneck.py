"""The states of a run's bottleneck, and the files that keep those of two units."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from study.data.dataset import Dataset
from study.data.npz import read_npz
from study.files import whole_folder
from study.paths import RunKey
from study.training.config import NetConfig

if TYPE_CHECKING:
    from study.training.run import Run  # which imports torch

EMBEDDINGS = Path("embeddings")
States = tuple[np.ndarray, np.ndarray]
"""(N, D) states and (N,) labels."""


def units(net: NetConfig) -> int:
    """Count the units of a net's bottleneck; 0 where it has none."""
    return net.bottleneck.size if net.bottleneck else 0


def bottleneck_states(run: Run, dataset: Dataset) -> dict[str, States]:
    """Compute a trained run's bottleneck states of the points it was trained and tested on.

    Args:
        run: of a net with a bottleneck of D units.
        dataset: the data set it was trained on.

    Returns:
        For ``"train"`` and ``"test"``, the states (N, D) float32, in eval mode, and the labels
        (N,) int64, in the order of the run's split.

    Raises:
        StudyError: the net has no bottleneck.
    """
    k, split = run.bottleneck.layer, run.split(dataset)
    return {
        "train": (run.states(split.train_inputs, k), split.train_labels.numpy()),
        "test": (run.states(split.test_inputs, k), split.test_labels.numpy()),
    }


def write_embeddings(
    states: Mapping[RunKey, Mapping[str, States]], folder: Path = EMBEDDINGS
) -> None:
    """Keep the states of runs, a file an experiment, in a folder that is written whole.

    Args:
        states: for each run, what `bottleneck_states` gives.
        folder: gets EXPERIMENT.npz; what it had before is gone.
    """
    arrays: dict[str, dict[str, Any]] = {}
    for key, splits in states.items():
        of_experiment = arrays.setdefault(key.experiment, {})
        for split, (points, labels) in splits.items():
            of_experiment[_name(key, split)] = points
            of_experiment[f"{_name(key, split)}__labels"] = labels
    with whole_folder(folder) as temporary:
        for experiment, of_experiment in arrays.items():
            np.savez_compressed(temporary / f"{experiment}.npz", **of_experiment)


class Embeddings:
    """The states of an experiment's runs, as `write_embeddings` kept them.

    Raises:
        StudyError: the file is missing or damaged.
    """

    def __init__(self, experiment: str, folder: Path = EMBEDDINGS) -> None:
        self._arrays = read_npz(folder / f"{experiment}.npz")

    def states(self, key: RunKey, split: str) -> States:
        """Give the (N, 2) float32 states and (N,) int64 labels of a run's ``split``."""
        name = _name(key, split)
        return self._arrays[name], self._arrays[f"{name}__labels"]


def _name(key: RunKey, split: str) -> str:
    return f"{key.method}__{key.seed}__{split}"
