"""Read and write the study's tables: CSV files, equal tables in equal bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from study.errors import FileError, StudyError
from study.files import check_sum, whole_file
from study.params import check
from study.paths import HISTORY_FILE, METRICS_FILE, RunKey, run_folder

Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
MEASURES = [*RunKey._fields, "metric", "value"]
SPECTRA = [*RunKey._fields, "split", "digit", "scaling", "index", "value"]
SUMMARY = [
    *("experiment", "method", "metric", "n", "mean", "std", "low", "high"),
    *("difference", "difference_low", "difference_high"),
]
HISTORY = ["step", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "k", "lam"]
"""What figures and captions take from histories."""
CURVES = ["experiment", "method", "step", "quantity", "mean", "std", "n"]
LEDGER = [
    *("id", "family", "sentence", "source", "experiment", "metric", "method", "other"),
    *("other_metric", "direction", "smallest", "relative", "n", "resampled", "level"),
    *("difference", "low", "high", "boot_low", "boot_high", "intervals_agree"),
    *("bound_low", "bound_high", "effect_size", "p", "p_permutation", "p_holm", "verdict"),
    *("outcome", "p_family", "verdict_family", "decidable", "seeds_low", "seeds_high"),
    *("twin", "twin_agrees", "known", "note"),
]
RANKS = ["experiment", "seed", "method", "value", "rank"]
WINS = [
    *("experiment", "method", "other", "n", "wins", "ties", "losses"),
    *("probability", "low", "high"),
]
CHOICES = [*RunKey._fields, "setting", "chosen"]
BASELINE = "baseline"
# All other columns hold numbers.
TEXTS = [
    *("experiment", "method", "metric", "split", "scaling", "quantity", "id", "sentence", "source"),
    *("k", "setting", "chosen"),
    *("family", "other", "other_metric", "direction", "relative", "intervals_agree", "verdict"),
    *("outcome", "verdict_family", "decidable", "twin", "twin_agrees", "known"),
    "note",
]
# None of these may be missing.
FILLED = [
    *("seed", "step", "loss", "floor", "train_loss", "train_accuracy", "test_loss"),
    "test_accuracy",
]


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
        FileError: the file is missing, is not such a table or lacks a column; a cell that must be
            a number is none.
    """
    path = Path(path)
    try:
        # A method may be called "None" or "NA": only an empty cell is a missing value.
        content = path.read_bytes()
        table = pd.read_csv(BytesIO(content), keep_default_na=False, na_values=[""])
        if missing := [column for column in columns if column not in table]:
            raise ValueError(f"no column {', '.join(missing)}")
        if not content.endswith(b"\n"):
            raise ValueError("it ends within a line")
        _check_cells(table[list(columns)])
    except FileNotFoundError as error:
        raise FileError(path) from error
    except (ValueError, OverflowError) as error:  # pandas' parser errors are ValueErrors too
        raise FileError(path, error) from error
    return table


def read_metrics(folder: Path) -> dict[str, float]:
    """Read the metrics.json of a run.

    Raises:
        FileError: the file is missing or damaged.
    """
    path = folder / METRICS_FILE
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
        numbers: dict[str, float] = check(dict[str, Finite], content)
    except FileNotFoundError as error:
        raise FileError(path) from error
    except (ValueError, RecursionError, StudyError) as error:
        raise FileError(path, error) from error
    check_sum(path)
    return numbers


def read_history(folder: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read the history of a run, which has at least the ``columns``.

    Raises:
        FileError: as of `read_table`; it is not as the run wrote it.
    """
    path = folder / HISTORY_FILE
    table = read_table(path, columns)
    check_sum(path)
    return table


def read_histories(keys: Iterable[RunKey], columns: Sequence[str]) -> pd.DataFrame:
    """Read the histories of runs as one table, with the columns experiment, method and seed.

    Raises:
        FileError: as of `read_history`.
    """
    return pd.concat(read_history(run_folder(key), columns).assign(**key._asdict()) for key in keys)


def _check_cells(table: pd.DataFrame) -> None:
    if table.empty and "step" in table:
        raise ValueError("no rows")
    if table.empty:
        return
    for column in table.columns.difference(TEXTS):
        if not pd.api.types.is_numeric_dtype(table[column]):
            raise ValueError(f"column {column} holds something else than numbers")
    for column in table.columns.intersection(FILLED):
        if not np.isfinite(table[column]).all():
            raise ValueError(f"column {column} holds an empty cell, NaN or infinity")
