"""Does the ranking of the methods depend on the seed? Ranks of each seed, and wins over seeds."""

from __future__ import annotations

from itertools import combinations

import pandas as pd

from study.inference.verdicts import Region, estimate_share
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
