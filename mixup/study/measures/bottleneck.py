"""The states of a run's bottleneck."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mixup.study.data.dataset import Dataset
from mixup.study.errors import StudyError
from mixup.study.training.config import RunKey
from mixup.study.training.run import RUNS, load_run, run_folder


def bottleneck_states(
    key: RunKey, dataset: Dataset, root: Path = RUNS
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Compute a trained run's bottleneck states of the points it was trained and tested on.

    Args:
        key: the run, of a net with a bottleneck of D units.
        dataset: the data set it was trained on.
        root: where the run folders are.

    Returns:
        For ``"train"`` and ``"test"``, the states (N, D) float32, in eval mode, and the labels
        (N,) int64, in the order of the run's split.

    Raises:
        StudyError: the run's folder is missing or damaged, or its net has no bottleneck.

    Randomness: none.
    """
    run = load_run(run_folder(key, root))
    if run.config.net.bottleneck is None:
        raise StudyError(f"{run.folder} has a net without a bottleneck")
    k, split = run.config.net.bottleneck.layer, run.split(dataset)
    return {
        "train": (run.states(split.train_inputs, k), split.train_labels.numpy()),
        "test": (run.states(split.test_inputs, k), split.test_labels.numpy()),
    }
