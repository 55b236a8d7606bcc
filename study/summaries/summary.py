"""From every run's numbers to means, spreads and differences over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from study.paired import mean_and_interval
from study.paths import RUNS, RunKey, run_folder
from study.tables import BASELINE, SUMMARY, measures_table
from study.training.run import read_metrics


def runs_table(
    keys: Sequence[RunKey], extras: Iterable[pd.DataFrame] = (), root: Path = RUNS
) -> pd.DataFrame:
    """Gather everything measured on the given runs, and on no others.

    Args:
        keys: the runs; other folders under ``root``, such as those of removed seeds, are ignored.
        extras: tables of further measures of the runs, as `measures_table` gives them.
        root: where the run folders are.

    Returns:
        Columns experiment, method, seed, metric, value; runs in the order of ``keys``, and of
        each run first the numbers in its metrics.json, then those of ``extras``.

    Raises:
        StudyError: a run's metrics.json is missing or damaged.
    """
    metrics = measures_table({key: read_metrics(run_folder(key, root)) for key in keys})
    table = pd.concat([metrics, *(extra for extra in extras if len(extra))])
    run_of_row = pd.MultiIndex.from_frame(table[["experiment", "method", "seed"]])
    table["place"] = pd.MultiIndex.from_tuples(keys).get_indexer(run_of_row)
    known = table[table["place"] >= 0].sort_values("place", kind="stable")
    return known.drop(columns="place").reset_index(drop=True)


def summary_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Average each method's measures over the seeds and compare them with the baseline.

    The interval of a mean is the two-sided 95 % Student t interval over seeds. ``difference`` is
    the mean over seeds of method minus baseline, each pair of one seed (same split, initial
    weights and batches), and its interval is the t interval of those paired differences. A
    number that is not finite counts as missing.

    Args:
        runs: what `runs_table` gives.

    Returns:
        One row for each experiment, method and metric, in the order they first appear, with
        the columns n (seeds with a finite value), mean, std (n - 1 in the denominator), low,
        high, difference, difference_low, difference_high. NaN stands where a number does not
        exist: spreads of one seed, and differences of the baseline to itself.
    """
    finite = runs[np.isfinite(runs["value"])]
    values = finite.pivot(index="seed", columns=["experiment", "method", "metric"], values="value")
    rows = []
    for key in runs[["experiment", "method", "metric"]].drop_duplicates().itertuples(index=False):
        experiment, method, metric = key
        of_method = _column(values, experiment, method, metric)
        mean, low, high = mean_and_interval(of_method)
        difference = (np.nan, np.nan, np.nan)
        if method != BASELINE:
            of_baseline = _column(values, experiment, BASELINE, metric)
            difference = mean_and_interval((of_method - of_baseline).dropna())
        rows.append((*key, len(of_method), mean, of_method.std(), low, high, *difference))
    return pd.DataFrame(rows, columns=pd.Index(SUMMARY))


def nested_means(summary: pd.DataFrame, digits: int = 6) -> dict[str, dict[str, dict[str, float]]]:
    """Nest the means as experiment -> method -> metric -> mean, for ``dvc metrics diff``.

    Args:
        summary: what `summary_table` gives.
        digits: significant digits kept.

    Returns:
        The means; a metric without one is left out.
    """
    nested: dict[str, dict[str, dict[str, float]]] = {}
    means = summary.dropna(subset="mean")[["experiment", "method", "metric", "mean"]]
    for experiment, method, metric, mean in means.to_numpy(dtype=object):
        of_method = nested.setdefault(experiment, {}).setdefault(method, {})
        of_method[metric] = float(f"{mean:.{digits}g}")
    return nested


def _column(values: pd.DataFrame, *key: str) -> pd.Series:
    return values[key].dropna() if key in values else pd.Series(dtype=float)
