"""Many tests, looked at several times: Holm's correction, and a plan of looks at the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic import model_validator as check_after

from study.inference.verdicts import LEVEL, Values
from study.params import Section


class Look(NamedTuple):
    """One look at the results: the first so many seeds, None for all, and the error it may make."""

    seeds: int | None
    level: float


ONE_LOOK = (Look(None, LEVEL),)
"""Without a plan: all the seeds there are, once."""


class Plan(Section):
    """When a study looks at its results, decided before its first run.

    Looking again and again errs more often than each look by itself; here the errors of all
    looks add up to at most `LEVEL`, whatever the results make of the later ones.

    Source: Bonferroni over looks, the simplest of the group-sequential plans in Jennison and
    Turnbull, Group Sequential Methods, 2000.
    """

    looks: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=1)]
    """Seeds at each look, ascending."""
    errors: list[Annotated[float, Field(gt=0, le=LEVEL)]]
    """The chance that any verdict of the look is wrong."""

    @check_after(mode="after")
    def _adds_up(self) -> Self:
        if len(self.errors) != len(self.looks):
            raise ValueError("must have as many errors as looks")
        if any(later <= earlier for earlier, later in pairwise(self.looks)):
            raise ValueError("must have looks in ascending order")
        if sum(self.errors) > LEVEL + 1e-12:
            raise ValueError(f"must have errors that add up to at most {LEVEL}")
        return self

    @property
    def steps(self) -> tuple[Look, ...]:
        """The looks, each with its error."""
        return tuple(map(Look, self.looks, self.errors))


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
