"""Whether the ranking of the methods depends on the seed, as tables and in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mixup.figures.style import method_label
from mixup.report.findings import listed


@dataclass(frozen=True)
class Ranking:
    """One experiment: a (rank, value) for each method on each seed, and each two methods."""

    finding: str
    labels: Sequence[str]
    rows: Sequence[tuple[int, Sequence[tuple[float, float]]]]
    pairs: Sequence[dict[str, Any]]


def rankings(ranks: pd.DataFrame, wins: pd.DataFrame) -> Mapping[str, Ranking]:
    """Set out ``metrics/ranks.csv`` and ``metrics/wins.csv``, by experiment."""
    return {
        str(name): _ranking(rows, wins[wins["experiment"] == name])
        for name, rows in ranks.groupby("experiment", sort=False)
    }


def _ranking(ranks: pd.DataFrame, wins: pd.DataFrame) -> Ranking:
    methods = list(ranks["method"].unique())
    table = {
        column: ranks.pivot(index="seed", columns="method", values=column)[methods]
        for column in ("rank", "value")
    }
    seeds = list(ranks["seed"].unique())
    rows = [
        (
            int(seed),
            [(float(table["rank"][m][seed]), float(table["value"][m][seed])) for m in methods],
        )
        for seed in seeds
    ]
    pairs: list[Any] = wins.to_dict("records")
    for pair in pairs:
        pair |= {
            k: method_label(pair[of]) for k, of in (("label", "method"), ("other_label", "other"))
        }
    labels = [method_label(method) for method in methods]
    return Ranking(_finding(rows, labels), labels, rows, pairs)


def _finding(
    rows: Sequence[tuple[int, Sequence[tuple[float, float]]]], labels: Sequence[str]
) -> str:
    orders = {tuple(rank for rank, _ in of_seed) for _, of_seed in rows}
    first: dict[str, list[str]] = {}
    for seed, of_seed in rows:
        best = min(rank for rank, _ in of_seed)
        leaders = listed(
            [label for label, (rank, _) in zip(labels, of_seed, strict=True) if rank == best]
        )
        first.setdefault(leaders, []).append(str(seed))
    leaders_said = "; ".join(
        f"{who} on seed{'s' * (len(seeds) > 1)} {listed(seeds)}" for who, seeds in first.items()
    )
    orders_said = f"{len(orders)} different orders" if len(orders) > 1 else "a single order"
    seeds_said = f"{len(rows)} seeds give" if len(rows) > 1 else "One seed gives"
    return f"{seeds_said} {orders_said} of the methods. Highest test accuracy: {leaders_said}."
