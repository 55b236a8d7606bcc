"""Do the numbers hold? The runs of a study and the same runs trained anew, number by number."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from study.inference.verdicts import SETTLED
from study.paired import t_quantile
from study.paths import RunKey

RUN = list(RunKey._fields)
NUMBER = ["experiment", "method", "metric"]


@dataclass(frozen=True)
class Agreement:
    """One metric of one method: its mean over seeds as committed and as trained anew."""

    experiment: str
    method: str
    metric: str
    n: int
    """Seeds that are in both."""
    committed: float
    fresh: float
    """The means of the seeds that have a value; NaN where half of the seeds have it in one only."""
    reach: float
    """How far the means may lie apart."""
    identical: bool
    """Whether every seed has the same digits in both."""

    @property
    def holds(self) -> bool:
        """Whether the fresh mean lies within the committed seeds' spread."""
        return self.identical or abs(self.fresh - self.committed) <= self.reach

    @property
    def share(self) -> float:
        """The distance of the means as a share of the reach, >= 0; inf where it has no bound."""
        if self.identical or self.fresh == self.committed:
            return 0.0
        distance = abs(self.fresh - self.committed)
        return distance / self.reach if self.reach and math.isfinite(distance) else math.inf


def pair_runs(committed: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """Pair the numbers of two tables by experiment, method, seed and metric.

    Args:
        committed: columns experiment, method, seed, metric, value.
        fresh: likewise.

    Returns:
        A row a number, in the order of ``committed``, then of what is in ``fresh`` only. Columns
        experiment, method, seed, metric; value_committed and value_fresh, NaN where there is none;
        ``place``, one of both, committed, fresh; and ``identical``: both, with the same digits.
    """
    pairs = committed.merge(
        fresh, how="left", on=[*RUN, "metric"], suffixes=("_committed", "_fresh"), indicator="place"
    )
    more = fresh.merge(committed[[*RUN, "metric"]], how="left", indicator="place")
    more = more[more["place"] == "left_only"].rename(columns={"value": "value_fresh"})
    pairs["place"] = pairs["place"].astype(str).replace("left_only", "committed")
    pairs = pd.concat([pairs, more.assign(place="fresh")], ignore_index=True)
    a, b = pairs["value_committed"], pairs["value_fresh"]
    pairs["identical"] = (pairs["place"] == "both") & ((a == b) | (a.isna() & b.isna()))
    return pairs


def agreements(pairs: pd.DataFrame) -> list[Agreement]:
    """Say for every experiment, method and metric whether the fresh runs' mean holds.

    It holds if it lies where the mean of as many *other* seeds would lie: within

        t(n - 1) * s * sqrt(1/n + 1/m)

    of the committed mean, the 95 % prediction interval for the mean of m further runs given n
    runs with the standard deviation s. That is 1.76 s for five of each. The fresh runs share seeds
    with the committed ones, so split, initial weights and batches, and lie nearer unless training
    has forgotten all of these; a mean beyond it has moved by more than other seeds would move it.
    The interval of the committed mean alone (1.24 s) leaves out that the fresh mean is uncertain
    too, as s does, and the range of the seeds narrows where one of them is far from the others.

    Where the committed seeds have equal values, s is that of the fresh ones; where both have no
    spread, as of one seed, only equal means hold. Seeds without a value (NaN) are left out: some
    measures have none of some runs, such as one of errors where there are none. If half of the
    seeds or more have a value in one table only, the metric does not hold.

    Args:
        pairs: what `pair_runs` gives; numbers that are not in both are left out.

    Returns:
        In the order of ``pairs``.
    """
    both = pairs[pairs["place"] == "both"]
    return [
        _agreement(str(experiment), str(method), str(metric), rows)
        for (experiment, method, metric), rows in both.groupby(NUMBER, sort=False)
    ]


def _agreement(experiment: str, method: str, metric: str, pairs: pd.DataFrame) -> Agreement:
    about = (experiment, method, metric, len(pairs))
    identical = bool(pairs["identical"].all())
    a, b = (pairs[f"value_{side}"] for side in ("committed", "fresh"))
    if 2 * (a.isna() != b.isna()).sum() >= len(pairs):
        return Agreement(*about, math.nan, math.nan, 0.0, identical)
    known = [values.dropna().to_numpy() for values in (a, b)]
    reach = 0.0
    spread = next((values for values in known if len(values) > 1 and np.ptp(values) > 0), None)
    if spread is not None:
        further = math.sqrt(sum(1 / len(values) for values in known))
        reach = t_quantile(len(spread)) * float(spread.std(ddof=1)) * further
    committed, fresh = (float(values.mean()) if len(values) else math.nan for values in known)
    return Agreement(*about, committed, fresh, reach, identical)


@dataclass(frozen=True)
class Turn:
    """A claim's verdict as committed and from the fresh runs; None where it is not judged."""

    id: str
    committed: str | None
    fresh: str | None

    @property
    def holds(self) -> bool:
        return self.committed == self.fresh

    @property
    def flipped(self) -> bool:
        """Whether supported became contradicted or the other way round."""
        return {self.committed, self.fresh} == set(SETTLED)


def turns(committed: pd.DataFrame, fresh: pd.DataFrame) -> list[Turn]:
    """Set the verdicts of two ledgers side by side, in their order.

    Args:
        committed: columns id, verdict.
        fresh: likewise.
    """
    a, b = (dict(zip(t["id"], t["verdict"], strict=True)) for t in (committed, fresh))
    return [Turn(id, a.get(id), b.get(id)) for id in dict.fromkeys([*a, *b])]


def runs_in_one(pairs: pd.DataFrame, place: str) -> Iterator[str]:
    """Name what only one table has, a line a method: its seeds, and the metrics if not all.

    Args:
        pairs: what `pair_runs` gives.
        place: ``committed`` or ``fresh``.
    """
    for (experiment, method), rows in pairs.groupby(["experiment", "method"], sort=False):
        alone = rows[rows["place"] == place]
        seeds = {seed: tuple(of_seed["metric"]) for seed, of_seed in alone.groupby("seed")}
        partly = set(rows.loc[rows["place"] == "both", "seed"])
        for metrics in dict.fromkeys(seeds.values()):
            those = [seed for seed, found in seeds.items() if found == metrics]
            what = ", ".join(metrics) if partly & set(those) else "all metrics"
            yield f"{experiment} {method}, seeds {', '.join(map(str, those))}: {what}"
