"""Ask the runs every claim at every look, and decide by the looks which verdict stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study.inference.claims import Claim, Look
from study.inference.design import Design
from study.inference.ranking import count_wins
from study.inference.verdicts import (
    NAN,
    Estimate,
    Values,
    decide,
    estimate_mean,
    estimate_share,
)
from study.paired import effects, two_sides


class Asked(NamedTuple):
    """What the runs of a look say of a claim."""

    estimate: Estimate
    differences: Sequence[float] | Values
    """Paired, of the seeds that have both values; none for the direction varies."""
    left_out: int
    """Seeds of the look without a value that can be used."""
    n_run: int
    """Seeds of the experiment, in all looks."""


class Test(NamedTuple):
    """A decision by one family of tests: by which look, the adjusted p, and the verdict."""

    look: int
    p: float
    verdict: str


@dataclass(frozen=True)
class Judged:
    """A claim's verdict, corrected for all tests of the study, and for those of its family."""

    look: Look
    """That decides, else the last so far, else the first."""
    reached: bool
    """Whether there are the seeds for it."""
    p_holm: float
    verdict: str
    p_family: float
    verdict_family: str


def ask(claim: Claim, runs: pd.DataFrame, look: Look, resampled: float = 0.0) -> Asked:
    """Compare the claim's methods on the first seeds, in their order in ``runs``.

    Args:
        claim: the claim.
        runs: columns experiment, method, seed, metric, value.
        look: how many seeds, and the level of the interval.
        resampled: as in `study.paired.standard_error`.
    """
    than = (claim.than, claim.metric_of_other) if isinstance(claim.than, str) else claim.than
    sides = two_sides(runs, claim.experiment, (claim.method, claim.metric), than)
    n_run = len(sides[0])
    of_method, of_other = (side.iloc[: look.seeds] for side in sides)
    if claim.direction == "varies":
        wins, ties, losses = count_wins(of_method, of_other)
        n = wins + ties + losses
        share = estimate_share(wins, ties, n, claim.region, look.level)
        return Asked(share, [], len(of_method) - n, n_run)
    found = effects(of_method, of_other, relative=claim.relative).to_numpy()
    mean = estimate_mean(found, claim.region, look.level, resampled)
    return Asked(mean, found, len(of_method) - len(found), n_run)


def judge(claims: Sequence[Claim], runs: pd.DataFrame, design: Design) -> dict[str, Judged]:
    """Decide claims at the looks of a design.

    A look takes place for an experiment that has its seeds. Claims that ask the same question share
    one test. What a look decides stays decided, from the seeds of that look.

    Returns:
        {claim id: verdict}.
    """
    asked = {
        claim.question: [
            ask(claim, runs, look, design.resampled.get(claim.experiment, 0.0))
            for look in design.looks
        ]
        for claim in claims
    }
    together = _decided(claims, asked, design)
    families = dict.fromkeys(claim.family for claim in claims)
    apart = {
        family: _decided([c for c in claims if c.family == family], asked, design)
        for family in families
    }
    return {
        claim.id: _judged(
            asked[claim.question],
            design,
            together[claim.question],
            apart[claim.family][claim.question],
        )
        for claim in claims
    }


def _judged(asked: Sequence[Asked], design: Design, of_all: Test, of_family: Test) -> Judged:
    return Judged(
        design.looks[of_all.look],
        _reached(asked[of_all.look], design.looks[of_all.look]),
        *(of_all.p, of_all.verdict),
        *(of_family.p, of_family.verdict),
    )


def _reached(asked: Asked, look: Look) -> bool:
    return look.seeds is None or asked.n_run >= look.seeds


def _decided(
    claims: Sequence[Claim], asked: Mapping[Any, Sequence[Asked]], design: Design
) -> dict[Any, Test]:
    """Test the questions of claims that are corrected together."""
    of_questions = {claim.question: claim for claim in claims}
    looks = design.looks
    reached = np.array(
        [[_reached(asked[q][k], look) for q in of_questions] for k, look in enumerate(looks)],
        dtype=bool,
    ).reshape(len(looks), -1)
    p = np.array([[asked[q][k].estimate.p for q in of_questions] for k in range(len(looks))])
    p = p.reshape(len(looks), -1).astype(float)
    decided, adjusted = holm_over_looks(
        np.where(reached | np.isnan(p), p, 1.0), [look.level for look in looks]
    )
    last = np.maximum(reached.sum(axis=0) - 1, 0)
    tests = {}
    for place, (question, claim) in enumerate(of_questions.items()):
        k = int(decided[place] if decided[place] >= 0 else last[place])
        shown = float(adjusted[k, place]) if reached[k, place] else NAN
        estimate = asked[question][k].estimate
        tests[question] = Test(k, shown, decide(estimate, claim.region, shown, looks[k].level))
    return tests


def holm(p_values: Sequence[float] | Values) -> Values:
    """Adjust p-values for being many, so that any is wrong with a chance below the level only.

    The i-th smallest of m is multiplied by m - i + 1; none may come out below a smaller one's.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
    Journal of Statistics 6, 1979.

    Args:
        p_values: (M,) in [0, 1]; NaN where there was no test.

    Returns:
        (M,) adjusted p-values, at most 1; NaN stays NaN and does not count.
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full_like(p, np.nan)
    order = np.argsort(p)[: int(np.isfinite(p).sum())]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def holm_over_looks(p_values: Values, levels: Sequence[float]) -> tuple[NDArray[np.int64], Values]:
    """Decide many tests at several looks: Holm's correction at each, for those still open.

    A test that a look decides stays decided and is out of the way of the others. The chance that
    any true null hypothesis is ever rejected is at most the sum of the levels: up to the first such
    error all m true ones are open, so it needs one p-value below level / m at its look, and m of
    these at each look have a chance of the look's level at most (Bonferroni).

    Args:
        p_values: (K, M), a row a look; 1 where a test is not yet looked at, which counts as open;
            NaN where it has no test, which does not count.
        levels: (K,) of the looks.

    Returns:
        (M,) the index of the look that decides each test, -1 for none; (K, M) the adjusted
        p-values, NaN for a test that was decided before.
    """
    decided = np.full(p_values.shape[1], -1)
    adjusted = np.full_like(p_values, np.nan)
    for look, level in enumerate(levels):
        still = decided < 0
        adjusted[look, still] = holm(p_values[look, still])
        decided[still & (adjusted[look] < level)] = look
    return decided, adjusted
