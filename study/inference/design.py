"""What a study fixed before its runs: its looks, its dependent seeds, and what it can be asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from study.errors import StudyError
from study.inference.claims import CLAIMS, ONE_LOOK, Claim, Look, read_file
from study.params import did_you_mean
from study.training.config import TrainingConfig
from study.training.experiment import ExperimentConfig


@dataclass(frozen=True)
class Design:
    """The looks at the results, and of each experiment that splits one data set anew the ratio."""

    looks: Sequence[Look] = ONE_LOOK
    resampled: Mapping[str, float] = field(default_factory=dict)
    """Experiment -> test points for one training point; the others' seeds are independent."""


def read_design(
    claims: Sequence[Claim],
    experiments: Mapping[str, ExperimentConfig],
    path: Path | str = CLAIMS,
) -> Design:
    """Read the plan of looks from claims.yaml, and which experiments are resampled.

    Raises:
        ParamsError: a key has a value that cannot be used.
        StudyError: an experiment is not in params.yaml, or its seeds share nothing; a claim with
            the direction ``varies`` is of a resampled one, for which there is no exact test.
    """
    file = read_file(path)
    for name in file.resampled:
        check_known(f"{path}: resampled.{name}", name, experiments, "params.yaml")
        if experiments[name].training.disjoint:
            raise StudyError(f"{path}: resampled.{name}: its seeds share no training points")
    for claim in claims:
        if claim.direction == "varies" and claim.experiment in file.resampled:
            raise StudyError(
                f"{path}: {claim.id}: the direction varies needs independent seeds, and "
                f"those of {claim.experiment} are resampled"
            )
    return Design(
        file.plan.steps if file.plan else ONE_LOOK,
        {name: _ratio(experiments[name].training) for name in file.resampled},
    )


def _ratio(recipe: TrainingConfig) -> float:
    trained = (1 - recipe.test_fraction) * (1 - recipe.validation_fraction)
    return recipe.test_fraction / trained


def not_asked(
    claims: Iterable[Claim],
    experiments: Mapping[str, ExperimentConfig],
    runs: pd.DataFrame,
    path: Path | str = CLAIMS,
) -> dict[str, str]:
    """Find the claims that cannot be asked, since a part of the study was not run.

    Args:
        claims: the claims.
        experiments: those of params.yaml, with all the methods that each could run.
        runs: columns experiment, method, seed, metric, value; what was measured.
        path: the claims' file, for the message.

    Returns:
        {claim id: why}: its methods were not run, or what was run has no such measure.

    Raises:
        StudyError: an experiment is not in params.yaml, or a method not among the ``methods`` of
            its experiment; no run at all has the metric, but one of nearly the same name. The
            message names the claim and what there is.
    """
    metrics = list(runs["metric"].unique())
    measured = set(runs.groupby(["experiment", "method", "metric"]).groups)
    reasons = {}
    for claim in claims:
        name = f"{path}: {claim.id}"
        check_known(f"{name}.experiment", claim.experiment, experiments, "params.yaml")
        methods = experiments[claim.experiment].methods
        for side in claim.sides:
            check_known(f"{name}.{side.method_key}", side.method, methods, claim.experiment)
            check_spelled(f"{name}.{side.metric_key}", side.metric, metrics)
            if (claim.experiment, side.method, side.metric) not in measured:
                ran = side.method in experiments[claim.experiment].all_methods
                lacking = f"{side.metric} of {side.method} was not measured"
                reasons[claim.id] = lacking if ran else f"{side.method} was not run"
                break
    return reasons


def check_known(key: str, name: str, known: Iterable[str], place: str) -> None:
    """Refuse a name that is not among those known.

    Raises:
        StudyError: it says which key of which file has it, and what there is.
    """
    if name not in known:
        raise StudyError(
            f"{key} is {name!r}, which {place} does not have{did_you_mean(name, known)}"
        )


def check_spelled(key: str, metric: str, known: Sequence[str]) -> None:
    """Refuse a name that differs from a measure's in letters, not in its numbers alone.

    Raises:
        StudyError: it says which key of which file has it.
    """
    if metric in known:
        return
    words = {re.sub("[0-9]+", "0", name) for name in known}
    if (word := re.sub("[0-9]+", "0", metric)) not in words and get_close_matches(
        word, words, 1, 0.9
    ):
        raise StudyError(f"{key} is {metric!r}, which no run has{did_you_mean(metric, known)}")
