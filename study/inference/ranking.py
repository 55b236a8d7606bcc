"""Does the ranking of the methods depend on the seed? Ranks, wins, and how far seeds agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from study.inference.verdicts import (
    FEWEST_FOR_BOOTSTRAP,
    NAN,
    RESAMPLES,
    Region,
    Values,
    estimate_share,
)
from study.paired import CONFIDENCE
from study.tables import RANKS, WINS, values_by_seed

RANKED = "test_accuracy"
EVEN = Region(0.5, 1.0)


def ranks_table(runs: pd.DataFrame, metric: str = RANKED) -> pd.DataFrame:
    """Rank the methods of each experiment on each seed; 1 is the highest value.

    Methods with the same value share the mean of their ranks.

    Args:
        runs: columns experiment, method, seed, metric, value.
        metric: the measure to rank by; larger is better.

    Returns:
        Columns experiment, seed, method, value, rank; seeds and methods in their order in
        ``runs``. Runs without a finite value are left out.
    """
    found = [pd.DataFrame(columns=pd.Index(RANKS))]
    for experiment, of_experiment in runs.groupby("experiment", sort=False):
        values = values_by_seed(of_experiment, metric)
        ranks = values.rank(axis=1, ascending=False)
        table = (
            pd.DataFrame({"value": values.stack(), "rank": ranks.stack()}).dropna().reset_index()
        )
        found.append(table.assign(experiment=experiment)[RANKS])
    return pd.concat(found[1:] or found, ignore_index=True)


def wins_table(runs: pd.DataFrame, metric: str = RANKED) -> pd.DataFrame:
    """Estimate, for each two methods, the probability that one beats the other on a random seed.

    Args:
        runs: columns experiment, method, seed, metric, value.
        metric: the measure to compare; larger wins, equal is half a win for each.

    Returns:
        Columns experiment, method, other, n, wins, ties, losses, probability, low, high: the
        95 % interval of `estimate_share`. Each pair once, in the order of ``runs``.
    """
    rows = []
    for experiment, of_experiment in runs.groupby("experiment", sort=False):
        values = values_by_seed(of_experiment, metric)
        for method, other in combinations(values.columns, 2):
            wins, ties, losses = count_wins(values[method], values[other])
            share = estimate_share(wins, ties, wins + ties + losses, EVEN)
            counts = (share.n, wins, ties, losses)
            rows.append((experiment, method, other, *counts, share.effect, share.low, share.high))
    return pd.DataFrame(rows, columns=pd.Index(WINS))


def count_wins(values: pd.Series, others: pd.Series) -> tuple[int, int, int]:
    """Count the seeds on which a value is higher, equal and lower; a missing one counts as none."""
    return int((values > others).sum()), int((values == others).sum()), int((values < others).sum())


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
