"""What the course of a run's training tells: how far the test loss rose, how near the floor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mixup.analysis.tables import read_table
from mixup.data.dataset import Dataset
from mixup.mixing.entropy import entropy_floor
from mixup.training.config import RunKey
from mixup.training.run import RUNS, load_run, run_folder

COLUMNS = ["step", "loss", "test_loss"]
LAST_PART = 0.1


def history_measures(key: RunKey, dataset: Dataset, root: Path = RUNS) -> dict[str, float]:
    """Measure the course of a run.

    - ``test_nll_rise``: the last test NLL minus the lowest of all evaluations; >= 0.
    - ``train_excess_loss``: the mean optimised loss over the last tenth of the steps (rounded up
      to whole rows of the history), minus the least that its targets allow. That floor is 0 for a
      method that does not mix, else the expected entropy of the mixed targets, `entropy_floor`
      with `p_different_labels`. The drawn lam scatter around their expectation, so an excess can
      come out a little below 0.

    Args:
        key: the run.
        dataset: the data set it was trained on.
        root: where the run folders are.

    Returns:
        A number for each measure.

    Raises:
        StudyError: the run's folder is missing or damaged.

    Randomness: none.
    """
    run = load_run(run_folder(key, root))
    history = read_table(run.folder / "history.csv", COLUMNS)
    floor = 0.0
    if run.config.alpha is not None:
        labels = run.split(dataset).train_labels.numpy()
        p_different = p_different_labels(labels, run.config.training.batch_size)
        floor = entropy_floor(run.config.alpha, p_different=p_different)
    return {
        "test_nll_rise": float(history["test_loss"].iloc[-1] - history["test_loss"].min()),
        "train_excess_loss": _last_loss(history) - floor,
    }


def p_different_labels(labels: Sequence[int] | np.ndarray, batch_size: int) -> float:
    """Compute the probability that a sample and its partner in a batch have different labels.

    ``(1 - 1 / B) * (1 - sum_c n_c (n_c - 1) / (n (n - 1)))``: of a random permutation of B
    samples, a sample is its own partner with probability 1 / B; any other partner is one of the
    remaining n - 1 training samples, each as likely, as a batch is drawn without replacement.

    Args:
        labels: (n,) int, those of the training data; n >= 2.
        batch_size: B.

    Returns:
        A number in [0, 1].

    Randomness: none.
    """
    counts = np.unique(np.asarray(labels), return_counts=True)[1].astype(np.float64)
    n = counts.sum()
    same = (counts * (counts - 1)).sum() / (n * (n - 1))
    return float((1 - 1 / batch_size) * (1 - same))


def _last_loss(history: pd.DataFrame) -> float:
    steps = history["step"].to_numpy()
    last = steps > (1 - LAST_PART) * steps[-1]
    rows = np.diff(steps, prepend=0)
    return float(np.average(history["loss"].to_numpy()[last], weights=rows[last]))
