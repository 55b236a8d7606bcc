"""Learning curves averaged over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pandas as pd

from study.paths import RUNS, RunKey, run_folder
from study.tables import CURVES, read_history

QUANTITIES = ["loss", "train_loss", "train_accuracy", "test_loss", "test_accuracy"]


def mean_curves(keys: Sequence[RunKey], root: Path = RUNS) -> pd.DataFrame:
    """Average the histories of each method's runs over the seeds, step by step.

    ``loss`` is what was optimised, mixed where the method mixes, so it compares across methods
    only with care; the other quantities are measured on clean data.

    Args:
        keys: the runs, those of a method next to each other.
        root: where the run folders are.

    Returns:
        Columns experiment, method, step, quantity, mean, std (NaN for one seed) and n, the
        number of seeds; methods in the order of ``keys``, and steps ascending.

    Raises:
        StudyError: a run's history.csv is missing or damaged.
    """
    curves = []
    for (experiment, method), runs in groupby(keys, key=lambda key: key[:2]):
        histories = [read_history(run_folder(key, root), ["step", *QUANTITIES]) for key in runs]
        values = pd.concat(histories).melt("step", QUANTITIES, var_name="quantity")
        over_seeds = values.groupby(["quantity", "step"], sort=False)["value"]
        curve = over_seeds.agg(["mean", "std", "count"]).rename(columns={"count": "n"})
        curve = curve.reset_index().assign(experiment=experiment, method=method)
        curves.append(curve[CURVES])
    return pd.concat(curves, ignore_index=True)
