"""Whether the ranking of the methods depends on the seed, as tables and in a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from study.figures.style import method_colours, method_label
from study.inference.ranking import Concordance, concordance, performance_profiles
from study.inference.wording import digits
from study.report.charts import ProfileChart, profile_chart
from study.report.findings import listed
from study.report.page import colour_on_page


@dataclass(frozen=True)
class Ranking:
    """One experiment: each method's label with a (rank, value) for each seed; each two methods."""

    finding: str
    seeds: Sequence[int]
    rows: Sequence[tuple[str, Sequence[tuple[float, float]]]]
    pairs: Sequence[dict[str, Any]]
    profiles: ProfileChart
    colours: Mapping[str, str]
    """Label -> colour of its profile."""

    @property
    def seed_names(self) -> list[str]:
        """Headings of the columns."""
        return [f"Seed {seed}" for seed in self.seeds]


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
    seeds = [int(seed) for seed in ranks["seed"].unique()]
    rows = [
        (
            method_label(method),
            [(float(table["rank"][method][s]), float(table["value"][method][s])) for s in seeds],
        )
        for method in methods
    ]
    pairs: list[Any] = wins.to_dict("records")
    for pair in pairs:
        pair |= {
            k: method_label(pair[of]) for k, of in (("label", "method"), ("other_label", "other"))
        }
    profiles = {
        method_label(m): (thresholds.tolist(), shares.tolist())
        for m, (thresholds, shares) in performance_profiles(ranks).items()
    }
    colours = {
        method_label(m): colour_on_page(colour, "currentColor")
        for m, colour in method_colours(methods).items()
    }
    agreed = _agreement(concordance(table["value"].dropna().to_numpy()))
    finding = " ".join(filter(None, [_finding(rows, seeds), agreed]))
    return Ranking(finding, seeds, rows, pairs, profile_chart(profiles), colours)


def _agreement(found: Concordance) -> str:
    """Word Kendall's W; nothing where there is none."""
    if math.isnan(found.w):
        return ""
    interval = ""
    if not math.isnan(found.low):
        interval = f" (95 % interval {digits(found.low, 2)} to {digits(found.high, 2)})"
    friedman = "" if math.isnan(found.p) else f"; Friedman's test p = {digits(found.p, 2)}"
    return (
        f"Kendall's W, 0 for no agreement of the seeds and 1 for one order: "
        f"{digits(found.w, 2)}{interval}{friedman}."
    )


def _finding(
    rows: Sequence[tuple[str, Sequence[tuple[float, float]]]], seeds: Sequence[int]
) -> str:
    labels = [label for label, _ in rows]
    by_seed = [
        tuple(rank for rank, _ in places) for places in zip(*(of for _, of in rows), strict=True)
    ]
    first: dict[str, list[str]] = {}
    for seed, order in zip(seeds, by_seed, strict=True):
        leaders = [label for label, rank in zip(labels, order, strict=True) if rank == min(order)]
        first.setdefault(listed(leaders), []).append(str(seed))
    leaders_said = "; ".join(
        f"{who} on seed{'s' * (len(on) > 1)} {listed(on)}" for who, on in first.items()
    )
    n_orders = len(set(by_seed))
    orders_said = f"{n_orders} different orders" if n_orders > 1 else "a single order"
    seeds_said = f"{len(seeds)} seeds give" if len(seeds) > 1 else "One seed gives"
    return f"{seeds_said} {orders_said} of the methods. Highest test accuracy: {leaders_said}."
