"""What the course of a run's training tells: how far the test loss rose, how near the floor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import entr

from mixup.mixing.sampler import Sampler
from mixup.study.data.dataset import Dataset
from mixup.study.errors import StudyError
from mixup.study.tables import read_history
from mixup.study.training.config import RunConfig, RunKey
from mixup.study.training.run import RUNS, Purpose, load_run, run_folder, seed_sequence

COLUMNS = ["step", "loss", "test_loss", "lam"]
LAST_PART = 0.1


def history_measures(key: RunKey, dataset: Dataset, root: Path = RUNS) -> dict[str, float]:
    """Measure the course of a run.

    - ``test_nll_rise``: the last test NLL minus the lowest of all evaluations; >= 0.
    - ``train_excess_loss``: the mean optimised loss over the last tenth of the steps (rounded up
      to whole rows of the history), minus the least that their targets allow. That floor is 0
      for a method that does not mix its targets, else `p_different_labels` times the mean of
      ``H(lam) = -lam log lam - (1 - lam) log(1 - lam)`` over the lam of those very steps, so that
      a run's luck with its lam is not taken for an excess.

    Args:
        key: the run.
        dataset: the data set it was trained on.
        root: where the run folders are.

    Returns:
        A number for each measure.

    Raises:
        StudyError: the run's folder is missing or damaged, or its history has another lam than
            its seed gives.

    Randomness: none.
    """
    run = load_run(run_folder(key, root))
    history = read_history(run.folder, COLUMNS)
    last = history["step"] > (1 - LAST_PART) * history["step"].iloc[-1]
    rows = history["step"].diff().fillna(history["step"])
    floor = 0.0
    if run.config.alpha is not None and run.config.settings.mixes != "features":
        lams = drawn_lams(run.config, history)
        labels = run.split(dataset).train_labels.numpy()
        p_different = p_different_labels(labels, run.config.training.batch_size)
        floor = p_different * float(
            entr(np.stack([lams, 1 - lams])[:, -int(rows[last].sum()) :]).sum(0).mean()
        )
    return {
        "test_nll_rise": float(history["test_loss"].iloc[-1] - history["test_loss"].min()),
        "train_excess_loss": float(np.average(history["loss"][last], weights=rows[last])) - floor,
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


def drawn_lams(config: RunConfig, history: pd.DataFrame) -> np.ndarray:
    """Draw the lam of every step of a run again, as its seed decides.

    Args:
        config: a run that mixes.
        history: its history, whose last row is of the last step.

    Returns:
        (steps,) float64 in (0, 1).

    Raises:
        StudyError: the history has another lam for one of its steps.

    Randomness: that of the run's mixing, from its seed.
    """
    sampler = Sampler(
        {str(k): 1.0 for k in config.settings.eligible},
        config.alpha or 0.0,
        None,
        per_sample=False,
        pairing="random",
        mixes="both",
        noise=0.0,
        seed=seed_sequence(config.seed, Purpose.MIXING),
    )
    # Partners have a generator of their own: lam is the same without any.
    lams = np.array([sampler.draw(0).lam for _ in range(history["step"].iloc[-1])])
    if not np.allclose(lams[history["step"] - 1], history["lam"]):
        raise StudyError(
            f"the history of {config.experiment} {config.method} seed {config.seed} has another "
            "lam than its seed gives: delete its folder in runs/ and run `dvc repro`"
        )
    return lams
