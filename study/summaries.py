"""Tables over runs and seeds: means, differences, learning curves, and what runs chose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from study.files import check_sum
from study.paired import effects, mean_and_interval
from study.paths import CHOICE, RUNS, RunKey, run_folder
from study.tables import (
    BASELINE,
    CHOICES,
    CURVES,
    SUMMARY,
    measures_table,
    read_history,
    read_metrics,
    read_table,
)


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
            difference = mean_and_interval(effects(of_method, of_baseline, relative=False))
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


def count_choices(choices: pd.DataFrame) -> pd.DataFrame:
    """Count how often each combination was chosen, the most frequent first.

    Args:
        choices: of one method, as of `choices_table`.

    Returns:
        A column a setting, and ``seeds``, their number.
    """
    settings = list(choices["setting"].unique())
    combinations = choices.pivot(index="seed", columns="setting", values="chosen")[settings]
    return combinations.value_counts().rename("seeds").reset_index()
