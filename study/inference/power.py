"""How many seeds would settle an open claim: a range, as effect and spread are known roughly."""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from study.inference.verdicts import NAN, Estimate, Region, Values, estimate_share

POWER = 0.8
COVERED = 0.8
"""The range of seeds is that of an interval of the effect that covers it so often."""
MOST_SEEDS = 1000
FARTHEST = 50.0
"""Standard errors from a bound; beyond, two seeds are enough."""

Range = tuple[float, float]


def seeds_for_mean(
    estimate: Estimate, region: Region, level: float, resampled: float = 0.0
) -> Range:
    """Count the seeds that would settle a claim about a mean.

    The smallest n at which a t test at ``level``, two-sided, against the nearest bound rejects with
    a probability of at least 0.8 (0.9 where there are two bounds), for each end of an 80 %
    interval of the standardised distance (effect - bound) / s: the ends at which the noncentral t
    distribution gives what was seen in one case of ten.

    Source: Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed., 1988, ch. 2;
    Cumming and Finch, Educational and Psychological Measurement 61, 2001, for the interval.

    Args:
        estimate: of `estimate_mean`.
        region: where the mean is claimed to lie.
        level: of the test that is to settle it.
        resampled: as in `study.paired.standard_error`; then no number of seeds may do.

    Returns:
        The fewest and the most seeds, more than ``estimate.n``; inf for more than 1,000; NaN if
        the spread over seeds is not known.
    """
    if math.isnan(estimate.std):
        return NAN, NAN
    distance = min(abs(estimate.effect - bound) for bound in region.bounds) / estimate.std
    n_seen = estimate.n
    root_n = 1 / math.sqrt(1 / n_seen + resampled)
    low, high = (
        _noncentrality(min(distance * root_n, FARTHEST), n_seen - 1, tail) / root_n
        for tail in ((1 - COVERED) / 2, (1 + COVERED) / 2)
    )
    wanted = 1 - (1 - POWER) / len(region.bounds)
    most, fewest = (fewest_seeds(max(d, 0.0), level, wanted, resampled) for d in (low, high))
    return max(fewest, n_seen + 1), max(most, n_seen + 1)


def _noncentrality(t: float, df: int, tail: float) -> float:
    """Find the noncentrality at which a value above ``t`` has the probability ``tail``."""

    def surplus(shift: float) -> float:
        return float(stats.nct.sf(t, df, shift)) - tail

    return float(brentq(surplus, -10, 4 * t + 10))


def fewest_seeds(
    distance: float, level: float, wanted: float = POWER, resampled: float = 0.0
) -> float:
    """Count the seeds with which a two-sided t test rejects with the probability ``wanted``.

    Args:
        distance: of the mean from the bound, in standard deviations, >= 0.
        level: of the test.
        wanted: the power.
        resampled: as in `study.paired.standard_error`.
    """

    def enough(n: int) -> bool:
        # Beyond 1e6 the power is 1, and far beyond it scipy gives NaN.
        shift = min(distance / math.sqrt(1 / n + resampled), 1e6)
        return bool(stats.nct.sf(stats.t.isf(level / 2, n - 1), n - 1, shift) >= wanted)

    n = range(2, MOST_SEEDS + 1)
    place = bisect_left(n, True, key=enough)
    return float(n[place]) if place < len(n) else math.inf


def seeds_for_share(estimate: Estimate, region: Region, level: float) -> Range:
    """Count the seeds that would settle a claim about a probability.

    As `seeds_for_mean`, with the power of the exact binomial test, over the probabilities in the
    80 % Clopper-Pearson interval.

    Returns:
        The fewest and the most seeds; inf for more than 1,000; NaN if there is no estimate.
    """
    if math.isnan(estimate.effect):
        return NAN, NAN
    wins = round(estimate.effect * estimate.n)
    ends = stats.binomtest(wins, estimate.n).proportion_ci(COVERED)
    counts = [fewest_draws(p, region, level) for p in np.linspace(ends.low, ends.high, 25)]
    return max(min(counts), estimate.n + 1), max(max(counts), estimate.n + 1)


def fewest_draws(p: float, region: Region, level: float) -> float:
    """Count the seeds that tell a probability from the bounds of a region, with a power of 0.8.

    Args:
        p: the true probability of a win.
        region: where it is claimed to lie.
        level: of the exact binomial tests, two-sided.
    """
    n = np.arange(2, MOST_SEEDS + 1)
    sides = [(p, bound) if p > bound else (1 - p, 1 - bound) for bound in region.bounds]
    missed = sum(1 - _binomial_power(n, *side, level) for side in sides)
    enough = np.flatnonzero(1 - missed >= POWER)
    return float(n[enough[0]]) if len(enough) else math.inf


def _binomial_power(n: NDArray[np.int64], p: float, bound: float, level: float) -> Values:
    """Give the probability that a one-sided test at level / 2 tells p from a bound below it."""
    return np.asarray(stats.binom.sf(stats.binom.isf(level / 2, n, bound), n, p))


def share_can_be_decided(n: int, region: Region, level: float) -> bool:
    """Whether any number of wins on n seeds has a p-value below ``level``."""
    return any(estimate_share(wins, 0, n, region).p < level for wins in range(n + 1))
