"""From paired values over seeds to a verdict: an estimate, its interval and p, and the rule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from study.paired import LEVEL, do_not_vary, standard_error, t_interval

SUPPORTED, CONTRADICTED, INCONCLUSIVE = "supported", "contradicted", "inconclusive"
SETTLED = (SUPPORTED, CONTRADICTED)
VERDICTS = (*SETTLED, INCONCLUSIVE)
NOT_ASKED = "not asked"
"""Of a claim about what was not run."""
ALL_VERDICTS = (*VERDICTS, NOT_ASKED)
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
    """An effect over n seeds, its interval, and how well it is told from a region's bounds.

    ``std`` is the standard deviation of the paired differences. ``p`` is that of the bound that
    is hardest to tell the effect from, two-sided: below the interval's level exactly when the
    interval lies wholly in the region or wholly out of it. What a sample does not give is NaN.
    """

    n: int
    effect: float
    std: float = NAN
    low: float = NAN
    high: float = NAN
    p: float = NAN

    @property
    def effect_size(self) -> float:
        """Cohen's d_z: the mean of the paired differences over their standard deviation."""
        return self.effect / self.std


def estimate_mean(
    differences: Sequence[float] | Values,
    region: Region,
    level: float = LEVEL,
    resampled: float = 0.0,
) -> Estimate:
    """Estimate the mean of paired differences with Student's t.

    Args:
        differences: (n,) finite numbers, one a seed.
        region: where the mean is claimed to lie.
        level: the interval covers the mean with the probability 1 - ``level``.
        resampled: as in `study.paired.standard_error`.

    Returns:
        The estimate; only n and the mean where there are fewer than two differences or they do
        not vary, because there is no test then.
    """
    d = np.asarray(differences, dtype=np.float64)
    mean = float(d.mean()) if len(d) else NAN
    if len(d) < 2 or do_not_vary(d, of=d):
        return Estimate(len(d), mean)
    distance = min(abs(mean - bound) for bound in region.bounds) / standard_error(d, resampled)
    return Estimate(
        len(d),
        mean,
        float(d.std(ddof=1)),
        *t_interval(d, 1 - level, resampled),
        p=float(2 * stats.t.sf(distance, len(d) - 1)),
    )


def estimate_share(wins: int, ties: int, n: int, region: Region, level: float = LEVEL) -> Estimate:
    """Estimate the probability of winning on a random seed, a tie being half a win.

    Clopper-Pearson interval and exact binomial tests (`scipy.stats.binomtest`); the low end
    counts ties as lost and the high end as won, so the interval is, if anything, too wide.

    Args:
        wins: seeds won.
        ties: seeds tied.
        n: all seeds.
        region: where the probability is claimed to lie.
        level: the interval covers the probability with at least 1 - ``level``.

    Returns:
        The estimate, without an effect size; only n for no seeds.
    """
    if not n:
        return Estimate(0, NAN)
    share = (wins + ties / 2) / n
    at_least, at_most = wins, wins + ties
    low = stats.binomtest(at_least, n).proportion_ci(1 - level).low
    high = stats.binomtest(at_most, n).proportion_ci(1 - level).high
    one_sided = [
        stats.binomtest(at_least, n, bound, "greater").pvalue
        if share > bound
        else stats.binomtest(at_most, n, bound, "less").pvalue
        for bound in region.bounds
    ]
    return Estimate(n, share, low=float(low), high=float(high), p=min(1.0, 2 * max(one_sided)))


def decide(estimate: Estimate, region: Region, adjusted_p: float, level: float = LEVEL) -> str:
    """Give the verdict: which side of its bounds the effect is on, if that is certain enough."""
    if not adjusted_p < level:
        return INCONCLUSIVE
    return SUPPORTED if region.low < estimate.effect < region.high else CONTRADICTED


FEWEST_FOR_BOOTSTRAP = 15
"""Below, its 95 % interval covers the mean in 79 to 82 % of samples of five (t: 90 to 95 %)."""
FEWEST_FOR_SIGNS = 8
"""Below, no arrangement of the signs has a two-sided p-value under 0.01."""
RESAMPLES = 9_999


@dataclass(frozen=True)
class Evidence:
    """A bootstrap interval and the p-value of a permutation test; NaN for too few seeds."""

    boot_low: float = NAN
    boot_high: float = NAN
    p_permutation: float = NAN


def evidence(
    differences: Sequence[float] | Values, region: Region, level: float = LEVEL
) -> Evidence:
    """Look at independent paired differences without Student's assumption.

    The interval is `scipy.stats.bootstrap` with bias correction and acceleration, from 15 seeds on.
    The test flips the signs of the distances to a bound (`scipy.stats.permutation_test`), all
    arrangements of them up to 13 seeds; its p is that of the bound that is hardest to tell.

    Args:
        differences: (n,) finite numbers, one a seed.
        region: where the mean is claimed to lie.
        level: of the interval.

    Randomness: 9,999 resamples of each, from generators with the seed 0.
    """
    d = np.asarray(differences, dtype=np.float64)
    if len(d) < FEWEST_FOR_SIGNS or do_not_vary(d, of=d):
        return Evidence()
    p = max(_sign_flip_p(d - bound) for bound in region.bounds)
    if len(d) < FEWEST_FOR_BOOTSTRAP:
        return Evidence(p_permutation=p)
    interval = stats.bootstrap(
        *((d,), np.mean),
        n_resamples=RESAMPLES,
        confidence_level=1 - level,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Evidence(float(interval.low), float(interval.high), p)


def _sign_flip_p(distances: Values) -> float:
    found = stats.permutation_test(
        *((distances,), np.mean),
        permutation_type="samples",
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)


AS_CLAIMED = "as claimed"
NEGLIGIBLE = "right sign but negligible"
EQUIVALENT = "no difference that matters"
OPPOSITE = "opposite"
WRONG_SIGN = "wrong sign but perhaps negligible"
SMALLER = "smaller than claimed or opposite"
DIFFERENT = "different"
ONE_SIDED = "does not depend on the seed"
OPEN = "open"


def outcome(direction: str, matters: Region, estimate: Estimate, verdict: str) -> str:
    """Name what was found of a claim; a contradicted one may be so in several ways.

    Args:
        direction: of the claim.
        matters: minus and plus the smallest difference that matters, in the unit of the effect.
        estimate: its interval says where the effect lies.
        verdict: of the claim.

    Returns:
        `AS_CLAIMED`, or `EQUIVALENT` where that was the claim. Of a contradicted claim:
        `NEGLIGIBLE`, in the direction claimed, but less than matters; `EQUIVALENT`, the interval
        lies between the smallest differences and is not of the claimed sign alone; `OPPOSITE`,
        the interval has the other sign, and the effect is at least as large as matters;
        `WRONG_SIGN`, it has the other sign, and the effect is less; `SMALLER`, it leaves the sign
        open. `DIFFERENT` and `ONE_SIDED` are not the same and not varying. `OPEN` where nothing
        is decided.
    """
    if verdict == SUPPORTED:
        return EQUIVALENT if direction == "same" else AS_CLAIMED
    if verdict != CONTRADICTED:
        return OPEN
    if direction in ("same", "varies"):
        return DIFFERENT if direction == "same" else ONE_SIDED
    if direction.startswith("not"):
        return OPPOSITE
    low, effect, high, least = estimate.low, estimate.effect, estimate.high, matters.low
    if direction == "lower":
        low, effect, high, least = -high, -effect, -low, -matters.high
    if low > 0:
        return NEGLIGIBLE
    if low > least:
        return EQUIVALENT
    if high < 0:
        return OPPOSITE if effect <= least else WRONG_SIGN
    return SMALLER
