"""Two revisions side by side: numbers with paired intervals, verdicts, params, code and figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from study.errors import StudyError
from study.paired import CONFIDENCE, do_not_vary, effects, t_interval

NAN = float("nan")

Difference = Mapping[str, Mapping[str, Any]]
"""What `dvc.repo.Repo().metrics.diff` and `.params.diff` give for a file: key -> old, new."""


@dataclass(frozen=True)
class Change:
    """A metric's mean over seeds in both revisions, and their difference paired by seed."""

    experiment: str
    method: str
    metric: str
    a: float
    b: float
    """The means; NaN where the revision does not have one."""
    n_a: int
    n_b: int
    n: int
    """Seeds with a value in A, in B, and in both."""
    difference: float = NAN
    """Mean of B minus A over the seeds in both."""
    low: float = NAN
    high: float = NAN
    """Its 95 % Student t interval; NaN for fewer than two seeds or equal differences."""
    same: bool = False
    """Whether every seed in both has the same value in both."""

    @property
    def finding(self) -> str:
        """What happened from A to B, in words."""
        if math.isnan(self.a) or math.isnan(self.b):
            return "only in B" if math.isnan(self.a) else "only in A"
        if self.same:
            return "same"
        if not self.n:
            return "no seed in both"
        if math.isnan(self.low):
            return "no interval"
        if self.low <= 0 <= self.high:
            return "not clear"
        return "higher" if self.difference > 0 else "lower"

    @property
    def seeds(self) -> str:
        """How many seeds are compared, and of how many where some are not."""
        if self.n == self.n_a == self.n_b:
            return str(self.n)
        return f"{self.n} of {self.n_a} and {self.n_b}"


def changes(means: Difference, runs_a: pd.DataFrame, runs_b: pd.DataFrame) -> list[Change]:
    """Set the means of two revisions side by side and pair their runs by seed.

    The runs of one experiment, method and seed in two revisions have split, initial weights and
    batches in common, unless a parameter that decides these is what differs.

    Args:
        means: ``dvc metrics diff --all`` of metrics/summary.json: keys are
            ``experiment.method.metric``; a missing or None ``old`` is not in A, ``new`` not in B.
        runs_a: columns experiment, method, seed, metric, value; of revision A.
        runs_b: likewise of revision B. A value that is not finite counts as missing.

    Returns:
        One entry a key, in the order of ``runs_b``, then of what is in ``runs_a`` only.

    Raises:
        StudyError: a key or a mean is not of that form.
    """
    of_a, of_b = _values(runs_a), _values(runs_b)
    known = dict.fromkeys([*of_b, *of_a])
    order = [*(key for key in known if key in means), *sorted(means.keys() - known)]
    nothing = pd.Series(dtype=float)
    return [
        _change(key, means[key], of_a.get(key, nothing), of_b.get(key, nothing)) for key in order
    ]


def _values(runs: pd.DataFrame) -> dict[str, pd.Series]:
    finite = runs[np.isfinite(runs["value"])].set_index("seed")
    groups = finite.groupby(["experiment", "method", "metric"], sort=False)["value"]
    return {".".join(map(str, key)): values for key, values in groups}


def _change(key: str, means: Mapping[str, Any], of_a: pd.Series, of_b: pd.Series) -> Change:
    d = effects(of_b, of_a, relative=False).to_numpy()
    try:
        experiment, method, metric = key.split(".")
        a, b = (NAN if (m := means.get(side)) is None else float(m) for side in ("old", "new"))
    except (TypeError, ValueError) as error:
        raise StudyError(
            f"metrics/summary.json holds {key}, which is no mean of a method"
        ) from error
    change = Change(experiment, method, metric, a, b, len(of_a), len(of_b), len(d))
    if not len(d):
        return change
    change = replace(change, difference=float(d.mean()), same=not d.any())
    if len(d) < 2 or do_not_vary(d, of=pd.concat([of_a, of_b])):
        return change
    low, high = t_interval(d)
    return replace(change, low=low, high=high)


@dataclass(frozen=True)
class Verdict:
    """A claim's verdict in both revisions; None where the revision does not judge it."""

    id: str
    sentence: str
    a: str | None
    b: str | None
    evidence: tuple[Mapping[str, float], Mapping[str, float]]
    """The numbers of each revision that the verdict rests on, such as difference, low, high."""

    @property
    def changed(self) -> bool:
        return self.a != self.b


def verdicts(ledger: Difference, sentences: Mapping[str, str]) -> list[Verdict]:
    """Gather the claims of two ledgers, in the order of ``sentences``.

    Args:
        ledger: ``dvc metrics diff --all`` of metrics/claims.json: keys are ``id.column``.
        sentences: what each claim says; a claim without one is shown with its id.
    """
    columns: dict[str, dict[str, Mapping[str, Any]]] = {}
    for key, pair in ledger.items():
        claim, _, column = key.rpartition(".")
        columns.setdefault(claim, {})[column] = pair
    order = [*(id for id in sentences if id in columns), *sorted(columns.keys() - sentences)]
    return [_verdict(id, sentences.get(id, id), columns[id]) for id in order]


def _verdict(id: str, sentence: str, columns: Mapping[str, Mapping[str, Any]]) -> Verdict:
    def evidence(side: str) -> dict[str, float]:
        numbers = {name: columns.get(name, {}).get(side) for name in ("difference", "low", "high")}
        return {
            name: float(value) if isinstance(value, int | float) else NAN
            for name, value in numbers.items()
        }

    words = columns.get("verdict", {})
    return Verdict(
        id, sentence, words.get("old"), words.get("new"), (evidence("old"), evidence("new"))
    )


def glance(
    found: Sequence[Change], claims: Sequence[Verdict], params: Difference, code: Sequence[str]
) -> Iterator[str]:
    """Say in a few sentences how the revisions differ."""
    of_code = _count(len(code), "file")
    yield f"What differs: {_count(len(params), 'parameter')} and {of_code} of code."
    tally = pd.Series([change.finding for change in found], dtype=str).value_counts()
    same = sum(change.same for change in found)
    yield f"The same for every seed that both have: {same} of {_count(len(found), 'number')}."
    clear = int(tally.get("higher", 0) + tally.get("lower", 0))
    if judged := clear + int(tally.get("not clear", 0)):
        yield (
            f"Differences with an interval: {judged}. Intervals that exclude zero: {clear}, where "
            f"chance alone would make about {judged * (1 - CONFIDENCE):.2g}."
        )
    if claims:
        changed = sum(claim.changed for claim in claims)
        yield f"Verdicts that changed: {changed} of {len(claims)}."


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"
