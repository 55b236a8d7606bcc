"""From paired values over seeds to a verdict: intervals, p-values, Holm's correction, power."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from study.paired import CONFIDENCE, do_not_vary, t_interval

LEVEL = 0.05
POWER = 0.8
MOST_SEEDS = 1000
SUPPORTED, CONTRADICTED, INCONCLUSIVE = "supported", "contradicted", "inconclusive"
VERDICTS = (SUPPORTED, CONTRADICTED, INCONCLUSIVE)
NOT_ASKED = "not asked"
"""Of a claim about what was not run."""
OUTCOMES = (*VERDICTS, NOT_ASKED)
NAN = float("nan")

Values = NDArray[np.float64]


class Region(NamedTuple):
    """The values of the measured effect for which a claim holds: low < effect < high."""

    low: float
    high: float

    @property
    def bounds(self) -> list[float]:
        """The ends that an effect can cross."""
        return [bound for bound in self if math.isfinite(bound)]

    def place(self, low: float, high: float) -> str:
        """Say what an interval says of the claim by itself: in the region, out of it, or neither.

        An interval of NaN says nothing.
        """
        if self.low < low and high < self.high:
            return SUPPORTED
        if high < self.low or low > self.high:
            return CONTRADICTED
        return INCONCLUSIVE


@dataclass(frozen=True)
class Estimate:
    """An effect over n seeds, its 95 % intervals, and how well it is told from a region's bounds.

    ``std`` is the standard deviation of the paired differences. ``p`` is that of the bound that
    is hardest to tell the effect from, two-sided: below 0.05 exactly when the interval lies
    wholly in the region or wholly out of it. What a sample does not give is NaN.
    """

    n: int
    effect: float
    std: float = NAN
    low: float = NAN
    high: float = NAN
    boot_low: float = NAN
    boot_high: float = NAN
    p: float = NAN

    @property
    def effect_size(self) -> float:
        """Cohen's d_z: the mean of the paired differences over their standard deviation."""
        return self.effect / self.std


def estimate_mean(differences: Sequence[float] | Values, region: Region) -> Estimate:
    """Estimate the mean of paired differences: Student t, and a bootstrap beside it.

    The bootstrap is `scipy.stats.bootstrap` with bias correction and acceleration.

    Args:
        differences: (n,) finite numbers, one a seed.
        region: where the mean is claimed to lie.

    Returns:
        The estimate; only n and the mean where there are fewer than two differences or they do
        not vary, because neither method works then.

    Randomness: the bootstrap's 9,999 resamples, from a generator with the seed 0.
    """
    d = np.asarray(differences, dtype=np.float64)
    mean = float(d.mean()) if len(d) else NAN
    if len(d) < 2 or do_not_vary(d, of=d):
        return Estimate(len(d), mean)
    low, high = t_interval(d)
    resampled = stats.bootstrap(
        (d,), np.mean, confidence_level=CONFIDENCE, method="BCa", rng=np.random.default_rng(0)
    )
    return Estimate(
        n=len(d),
        effect=mean,
        std=float(d.std(ddof=1)),
        low=low,
        high=high,
        boot_low=float(resampled.confidence_interval.low),
        boot_high=float(resampled.confidence_interval.high),
        p=max(float(stats.ttest_1samp(d, bound).pvalue) for bound in region.bounds),
    )


def estimate_share(wins: int, ties: int, n: int, region: Region) -> Estimate:
    """Estimate the probability of winning on a random seed, a tie being half a win.

    Clopper-Pearson interval and exact binomial tests (`scipy.stats.binomtest`); the low end
    counts ties as lost and the high end as won, so the interval is, if anything, too wide.

    Args:
        wins: seeds won.
        ties: seeds tied.
        n: all seeds.
        region: where the probability is claimed to lie.

    Returns:
        The estimate, without bootstrap and effect size; only n for no seeds.
    """
    if not n:
        return Estimate(0, NAN)
    share = (wins + ties / 2) / n
    at_least, at_most = wins, wins + ties
    low = stats.binomtest(at_least, n).proportion_ci(CONFIDENCE).low
    high = stats.binomtest(at_most, n).proportion_ci(CONFIDENCE).high
    one_sided = [
        stats.binomtest(at_least, n, bound, "greater").pvalue
        if share > bound
        else stats.binomtest(at_most, n, bound, "less").pvalue
        for bound in region.bounds
    ]
    return Estimate(n, share, low=float(low), high=float(high), p=min(1.0, 2 * max(one_sided)))


def holm(p_values: Sequence[float] | Values) -> Values:
    """Adjust p-values for being many, so that the chance of any wrong rejection stays below 0.05.

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


def decide(estimate: Estimate, region: Region, p_holm: float) -> str:
    """Give the verdict: which side of its bounds the effect is on, if that is certain enough."""
    if not p_holm < LEVEL:
        return INCONCLUSIVE
    return SUPPORTED if region.low < estimate.effect < region.high else CONTRADICTED


def seeds_for_mean(estimate: Estimate, region: Region, level: float) -> float:
    """Count the seeds that would settle a claim about a mean, were the estimate the truth.

    The smallest n at which paired t tests at ``level``, two-sided, against all bounds reject
    with a probability of at least 0.8: the power is that of the noncentral t distribution. With
    two bounds it is a lower limit (Bonferroni), so n is, if anything, too large.

    Source: Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed., 1988, ch. 2.

    Returns:
        n; inf if more than 1,000; NaN if the spread over seeds is not known.
    """
    if math.isnan(estimate.std):
        return NAN

    def power(n: Values, bound: float) -> Values:
        critical = stats.t.isf(level / 2, n - 1)
        # Beyond 1e6 the power is 1, and far beyond it scipy gives NaN.
        shift = np.minimum(abs(estimate.effect - bound) / estimate.std * np.sqrt(n), 1e6)
        return np.asarray(stats.nct.sf(critical, n - 1, shift))

    return _fewest(power, region)


def seeds_for_share(estimate: Estimate, region: Region, level: float) -> float:
    """Count the seeds that would settle a claim about a probability, were the estimate the truth.

    As `seeds_for_mean`, with the power of the exact binomial test.

    Returns:
        n; inf if more than 1,000; NaN if there is no estimate.
    """

    def power(n: Values, bound: float) -> Values:
        p = estimate.effect
        if p > bound:
            return np.asarray(stats.binom.sf(stats.binom.isf(level / 2, n, bound), n, p))
        lost = stats.binom.isf(level / 2, n, 1 - bound)
        return np.asarray(stats.binom.sf(lost, n, 1 - p))

    return NAN if math.isnan(estimate.effect) else _fewest(power, region)


def _fewest(power: Callable[[Values, float], Values], region: Region) -> float:
    n = np.arange(2, MOST_SEEDS + 1, dtype=np.float64)
    missed = np.sum([1 - power(n, bound) for bound in region.bounds], axis=0)
    enough = np.flatnonzero(1 - missed >= POWER)
    return float(n[enough[0]]) if len(enough) else math.inf
