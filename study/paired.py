"""Values over seeds: pairs of one seed, their effects, means and 95 % intervals."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from study.tables import values_by_seed

LEVEL = 0.05
"""The chance that an interval misses, and that any verdict of a study is wrong, at most."""
CONFIDENCE = 1 - LEVEL


def t_quantile(n: int, confidence: float = CONFIDENCE) -> float:
    """Give how many standard errors a two-sided interval of n >= 2 values reaches."""
    return float(stdtrit(n - 1, (1 + confidence) / 2))


def standard_error(values: ArrayLike, resampled: float = 0.0) -> float:
    """Give the standard error of the mean of (n,) values, n >= 2: s * sqrt(1/n + resampled).

    Source: Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52, 2003.

    Args:
        values: one for each seed.
        resampled: test points for one training point where each seed splits the same data anew, so
            that training sets overlap and the seeds are not independent; 0 where they are.
    """
    values = np.asarray(values, dtype=np.float64)
    return float(values.std(ddof=1)) * math.sqrt(1 / len(values) + resampled)


def t_interval(
    values: ArrayLike, confidence: float = CONFIDENCE, resampled: float = 0.0
) -> tuple[float, float]:
    """Give the two-sided Student t interval of the mean of (n,) values; NaN for n < 2.

    ``resampled`` is that of `standard_error`.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) < 2:
        return math.nan, math.nan
    mean = float(values.mean())
    reach = t_quantile(len(values), confidence) * standard_error(values, resampled)
    return mean - reach, mean + reach


def mean_and_interval(values: pd.Series) -> tuple[float, float, float]:
    """Give the mean of (n,) values and its `t_interval`."""
    return (float(values.mean()), *t_interval(values))


def do_not_vary(differences: ArrayLike, of: ArrayLike) -> bool:
    """Whether differences are all equal, but for rounding at the size of the values ``of``."""
    return bool(np.ptp(differences) <= 1e-9 * np.abs(of).max())


def two_sides(
    runs: pd.DataFrame,
    experiment: str,
    of: tuple[str, str],
    than: tuple[str, str] | float,
) -> tuple[pd.Series, pd.Series]:
    """Set two methods, or a method and a number, side by side, seed by seed.

    Args:
        runs: columns experiment, method, seed, metric, value.
        experiment: theirs.
        of: (method, metric), both of which the runs have.
        than: likewise, or the number.

    Returns:
        The values of both for each seed that has the first metric; NaN where a run has none.
    """
    rows = runs[runs["experiment"] == experiment]
    values = values_by_seed(rows, of[1])
    if isinstance(than, tuple):
        other = values_by_seed(rows, than[1])[than[0]].reindex(values.index)
    else:
        other = pd.Series(than, index=values.index)
    return values[of[0]], other


def effects(values: pd.Series, others: pd.Series, *, relative: bool) -> pd.Series:
    """Compare two sides seed by seed: differences, or logarithms of ratios if ``relative``.

    Means and intervals are of these, so that a half and a double cancel; `as_shares` takes
    logarithms back. Seeds without both values, or a ratio's that are not both > 0, are left out.
    """
    if relative:
        values, others = (np.log(side.where(side > 0)) for side in (values, others))
    return (values - others).dropna()


def as_shares(effects: pd.Series) -> pd.Series:
    """Turn logarithms of ratios into shares of the other value: -0.1 is 10 % less."""
    shares: pd.Series = np.expm1(effects)
    return shares
