"""Read and write the study's tables: CSV files, equal tables in equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mixup.errors import StudyError
from mixup.files import whole_file
from mixup.training.config import RunKey

MEASURES = [*RunKey._fields, "metric", "value"]
SPECTRA = [*RunKey._fields, "split", "digit", "scaling", "index", "value"]
SUMMARY = [
    *("experiment", "method", "metric", "n", "mean", "std", "low", "high"),
    *("difference", "difference_low", "difference_high"),
]
CURVES = ["experiment", "method", "step", "quantity", "mean", "std", "n"]
LEDGER = [
    *("id", "sentence", "source", "experiment", "metric", "method", "other"),
    *("direction", "smallest", "relative", "n", "difference", "low", "high"),
    *("boot_low", "boot_high", "intervals_agree", "bound_low", "bound_high", "effect_size"),
    *("p", "p_holm", "verdict", "seeds_needed", "twin", "twin_agrees", "note"),
]
RANKS = ["experiment", "seed", "method", "value", "rank"]
WINS = [
    *("experiment", "method", "other", "n", "wins", "ties", "losses"),
    *("probability", "low", "high"),
]
BASELINE = "baseline"


def measures_table(measures: Mapping[RunKey, Mapping[str, float]]) -> pd.DataFrame:
    """List the measures of several runs, one row a number, in the order given.

    Returns:
        Columns experiment, method, seed, metric, value.
    """
    rows = [
        (*key, metric, value)
        for key, of_run in measures.items()
        for metric, value in of_run.items()
    ]
    return pd.DataFrame(rows, columns=pd.Index(MEASURES))


def values_by_seed(measures: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Set out one measure of an experiment's runs: a row a seed, a column a method.

    Args:
        measures: columns method, seed, metric, value; of one experiment.
        metric: the measure.

    Returns:
        Methods and seeds in the order in which they first appear; NaN where a run has no such
        measure or one that is not finite.
    """
    rows = measures[measures["metric"] == metric]
    values = rows.pivot(index="seed", columns="method", values="value")
    values = values.reindex(index=rows["seed"].unique(), columns=rows["method"].unique())
    return values.where(np.isfinite(values))


def write_table(path: Path | str, table: pd.DataFrame) -> None:
    """Write a table without its index, whole or not at all; six digits a number, NaN empty."""
    with whole_file(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")


def read_table(path: Path | str, columns: Sequence[str]) -> pd.DataFrame:
    """Read a CSV file that has at least the ``columns``.

    Raises:
        StudyError: the file is missing, is not such a table or lacks a column.
    """
    path = Path(path)
    try:
        # A method may be called "None" or "NA": only an empty cell is a missing value.
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
        missing = [column for column in columns if column not in table]
        if missing:
            raise ValueError(f"no column {', '.join(missing)}")
    except FileNotFoundError as error:
        raise StudyError(f"{path} is missing: run `dvc repro` to make it") from error
    except ValueError as error:  # pandas' parser errors and bad encodings are ValueErrors too
        reason = " ".join(str(error).split())
        raise StudyError(
            f"{path} is damaged ({reason}): delete it and run `dvc repro` to make it again"
        ) from error
    return table
