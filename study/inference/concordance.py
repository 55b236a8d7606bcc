"""Do the seeds agree on the order of the methods? Kendall's W, and performance profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from study.inference.evidence import FEWEST_FOR_BOOTSTRAP, RESAMPLES
from study.inference.verdicts import NAN, Values
from study.paired import CONFIDENCE


@dataclass(frozen=True)
class Concordance:
    """Kendall's W of n seeds, from 0, no agreement, to 1, the same order on every seed."""

    n: int
    w: float
    low: float = NAN
    high: float = NAN
    """Its 95 % interval; NaN for too few seeds."""
    p: float = NAN
    """Of Friedman's test that all orders are equally likely; NaN for fewer than three methods."""


def kendall_w(values: Values) -> float:
    """Give Kendall's coefficient of concordance, corrected for ties.

    W = 12 S / (n^2 (k^3 - k) - n T): S is the sum of squared deviations of the k rank sums from
    their mean, T the sum of t^3 - t over all groups of t tied ranks.

    Source: Kendall and Babington Smith, Annals of Mathematical Statistics 10, 1939.

    Args:
        values: (n, k): n seeds, k methods.

    Returns:
        W in [0, 1]; NaN for fewer than two seeds or methods, and where all values of each seed tie.
    """
    n, k = values.shape
    if n < 2 or k < 2:
        return NAN
    ranks = stats.rankdata(values, axis=1)
    deviations = ranks.sum(axis=0) - n * (k + 1) / 2
    sizes = [np.unique(row, return_counts=True)[1] for row in ranks]
    ties = sum(float((size**3 - size).sum()) for size in sizes)
    most = n**2 * (k**3 - k) - n * ties
    return float(12 * (deviations**2).sum() / most) if most else NAN


def concordance(values: Values) -> Concordance:
    """Estimate Kendall's W, with a bootstrap interval over the seeds from 15 seeds on.

    Args:
        values: (n, k): n seeds, k methods; none is NaN.

    Randomness: the bootstrap's, from a generator with the seed 0.
    """
    n, k = values.shape
    w = kendall_w(values)
    p = NAN
    if k > 2 and n > 1 and np.isfinite(w):
        p = float(stats.friedmanchisquare(*values.T).pvalue)
    if n < FEWEST_FOR_BOOTSTRAP or not 0 < w < 1:
        return Concordance(n, w, p=p)

    def of_seeds(seeds: NDArray[np.int64]) -> float:
        return kendall_w(values[seeds])

    interval = stats.bootstrap(
        *((np.arange(n),), of_seeds),
        vectorized=False,
        n_resamples=RESAMPLES // 10,
        confidence_level=CONFIDENCE,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Concordance(n, w, float(interval.low), float(interval.high), p)


def performance_profiles(ranks: pd.DataFrame) -> Mapping[str, tuple[Values, Values]]:
    """Give the share of seeds on which each method's value exceeds a threshold.

    Source: Agarwal et al., "Deep reinforcement learning at the edge of the statistical
    precipice", NeurIPS 2021, section 4.1 (there over runs of many tasks).

    Args:
        ranks: columns method, value; of one experiment.

    Returns:
        {method: (thresholds, shares)}: the share is that just below each threshold, the method's
        own values in ascending order; it falls from 1 to 1 / n.
    """
    found = {}
    for method, rows in ranks.groupby("method", sort=False):
        values = np.sort(rows["value"].to_numpy(dtype=np.float64))
        found[str(method)] = values, 1 - np.arange(len(values)) / len(values)
    return found
