"""The few numbers that DVC shows unasked: what the claims turn on, and how many hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from study.inference.claims import CLAIMS, Claim, read_file
from study.inference.design import check_known, check_spelled
from study.inference.verdicts import ALL_VERDICTS
from study.inference.wording import count_verdicts
from study.tables import values_by_seed
from study.training.experiment import ExperimentConfig


def read_headline(
    experiments: Mapping[str, ExperimentConfig], runs: pd.DataFrame, path: Path | str = CLAIMS
) -> dict[str, list[str]]:
    """Read from claims.yaml which measures of which experiment are shown unasked.

    Args:
        experiments: those of params.yaml.
        runs: columns experiment, method, seed, metric, value; what was measured.
        path: the claims' file.

    Raises:
        ParamsError: claims.yaml cannot be read or has a value that cannot be used.
        StudyError: a name does not exist, as of `not_asked`.
    """
    shown = read_file(path).headline
    for experiment, metrics in shown.items():
        check_known(f"{path}: headline.{experiment}", experiment, experiments, "params.yaml")
        for metric in metrics:
            key = f"{path}: headline.{experiment}.{metric}"
            check_spelled(key, metric, list(runs["metric"].unique()))
    return shown


def headline(
    measures: Mapping[str, Sequence[str]],
    claims: Sequence[Claim],
    ledger: pd.DataFrame,
    runs: pd.DataFrame,
    digits: int = 4,
) -> dict[str, dict[str, Any]]:
    """Pick the numbers of metrics/headline.json.

    Args:
        measures: experiment -> its measures shown.
        claims: those of claims.yaml: of an experiment the methods that they compare are shown.
        ledger: what `ledger_table` decided of them.
        runs: columns experiment, method, seed, metric, value.
        digits: significant digits kept.

    Returns:
        {"claims": {verdict: count}}, then {experiment: {method: {measure: mean over seeds}}} in the
        order of ``measures`` and ``runs``, without what was not run.
    """
    counts = count_verdicts(ledger["verdict"])
    shown: dict[str, dict[str, Any]] = {
        "claims": {name.replace(" ", "_"): counts.get(name, 0) for name in ALL_VERDICTS}
    }
    for experiment, metrics in measures.items():
        named = {side.method for c in claims if c.experiment == experiment for side in c.sides}
        rows = runs[runs["experiment"] == experiment]
        means = {metric: values_by_seed(rows, metric).mean() for metric in metrics}
        for method in rows["method"].unique():
            of_method = {
                metric: float(f"{found[method]:.{digits}g}")
                for metric, found in means.items()
                if not math.isnan(found.get(method, math.nan))
            }
            if method in named and of_method:
                shown.setdefault(experiment, {})[method] = of_method
    return shown
