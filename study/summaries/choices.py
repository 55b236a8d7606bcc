"""What the runs chose on their validation data, and how often."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from study.files import check_sum
from study.paths import RUNS, RunKey, run_folder
from study.tables import CHOICES, read_table

CHOICE = "choice.csv"


def choices_table(keys: Iterable[RunKey], root: Path = RUNS) -> pd.DataFrame:
    """List what each run chose, of those that had a choice.

    Args:
        keys: the runs.
        root: where the run folders are.

    Returns:
        Columns experiment, method, seed, setting, chosen (a text); one row for each setting that a
        run chose.

    Raises:
        StudyError: a run's choice.csv is damaged.
    """
    rows = []
    for key in keys:
        path = run_folder(key, root) / CHOICE
        if not path.exists():
            continue
        tried = read_table(path, ["validation_nll", "chosen"])
        check_sum(path)
        chosen = tried[tried["chosen"] == 1].iloc[0].drop(["validation_nll", "chosen"])
        rows += [(*key, setting, str(value)) for setting, value in chosen.items()]
    return pd.DataFrame(rows, columns=pd.Index(CHOICES))


def counted(choices: pd.DataFrame) -> pd.DataFrame:
    """Count how often each combination was chosen, the most frequent first.

    Args:
        choices: of one method, as of `choices_table`.

    Returns:
        A column a setting, and ``seeds``, their number.
    """
    settings = list(choices["setting"].unique())
    combinations = choices.pivot(index="seed", columns="setting", values="chosen")[settings]
    return combinations.value_counts().rename("seeds").reset_index()
