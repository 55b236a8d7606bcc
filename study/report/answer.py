"""The answer to the questions of a study, in sentences, and what to know besides."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pandas as pd

from study.figures.style import method_label
from study.inference.verdicts import (
    AS_CLAIMED,
    EQUIVALENT,
    INCONCLUSIVE,
    NEGLIGIBLE,
    NOT_ASKED,
    OPEN,
    OPPOSITE,
    SMALLER,
)
from study.inference.wording import effect_text, needed_text
from study.measures.catalogue import find
from study.summaries import counted
from study.tables import BASELINE
from study.training.experiment import ExperimentConfig

FINDINGS = {
    AS_CLAIMED: "It helps",
    NEGLIGIBLE: "It helps by less than matters",
    EQUIVALENT: "It makes no difference that matters",
    SMALLER: "It does not help by as much as asked",
    OPPOSITE: "It hurts",
    OPEN: "Open",
}
"""Outcome of a question -> what that says of mixing."""
OTHERS = {
    BASELINE: "plain training",
    "weight_decay": "plain training that stops early, with a tuned weight decay",
}
MOST_CLASSES = 10


def answer(name: str, experiment: ExperimentConfig, ledger: pd.DataFrame) -> list[str]:
    """Answer the questions about an experiment: a sentence for each method that is compared with.

    Args:
        name: of the experiment.
        experiment: its settings.
        ledger: ``metrics/claims.csv``.

    Returns:
        The sentences, and another that says of what they hold.
    """
    asked = ledger[(ledger["experiment"] == name) & (ledger["verdict"] != NOT_ASKED)]
    sentences = [_against(str(other), rows) for other, rows in asked.groupby("other", sort=False)]
    return [*sentences, _limits(asked, experiment)] if sentences else ["No question was asked."]


def about_data(description: Mapping[str, Any]) -> str:
    """Say what one's own data are, and how the classes are balanced.

    Args:
        description: data/own.json.
    """
    counts: dict[str, int] = description["counts"]
    total = sum(counts.values())
    shares = [f"{name} {100 * n / total:.0f} %" for name, n in list(counts.items())[:MOST_CLASSES]]
    more = f" and {len(counts) - MOST_CLASSES} more" if len(counts) > MOST_CLASSES else ""
    ratio = description["imbalance"]
    balance = f"; the largest class is {ratio:.1f} times the smallest" if ratio > 1.5 else ""
    return (
        f"The data: {description['n_samples']:,} samples of {description['source']}; "
        f"{', '.join(shares)}{more}{balance}."
    )


def about_choices(choices: pd.DataFrame, experiment: ExperimentConfig) -> Iterator[str]:
    """Say what each method chose on validation data, and how often.

    Args:
        choices: of the experiment, as of `study.summaries.choices_table`.
        experiment: its settings.
    """
    for method, rows in choices.groupby("method", sort=False):
        counts = counted(rows)
        choose = experiment.methods[str(method)].choose
        among = f" from {len(choose.combinations)}" if choose else ""
        said = [
            f"{', '.join(f'{setting} {row[setting]}' for setting in counts.columns[:-1])} "
            f"on {row['seeds']} of {counts['seeds'].sum()} seeds"
            for _, row in counts.head(4).iterrows()
        ]
        more = "; others less often" if len(counts) > len(said) else ""
        words = method_label(str(method))
        yield f"Chosen on validation data by {words}{among}: {'; '.join(said)}{more}."


def about_steps(histories: pd.DataFrame) -> str:
    """Say after how many steps the validation loss is lowest, by method; nothing without one.

    Args:
        histories: method, seed, step, validation_loss of every run.
    """
    known = histories.dropna(subset=["validation_loss"]).reset_index(drop=True)
    if known.empty:
        return ""
    lowest = known.loc[known.groupby(["method", "seed"], sort=False)["validation_loss"].idxmin()]
    means = lowest.groupby("method", sort=False)["step"].mean()
    said = [f"{method_label(str(method))} {step:,.0f}" for method, step in means.items()]
    return (
        f"Steps to the lowest validation loss, of {histories['step'].max():,}, mean over seeds: "
        f"{', '.join(said)}."
    )


def _against(other: str, rows: pd.DataFrame) -> str:
    parts = [
        f"{words}: {'; '.join(_effects(rows[rows['outcome'] == outcome]))}."
        for outcome, words in FINDINGS.items()
        if (rows["outcome"] == outcome).any()
    ]
    against = OTHERS.get(other, method_label(other))
    return " ".join([f"{_verdict(set(rows['outcome']))} against {against}.", *parts])


def _effects(rows: pd.DataFrame) -> Iterator[str]:
    for method, of_method in rows.groupby("method", sort=False):
        effects = [f"{find(row.metric).words} {effect_text(row)}" for row in of_method.itertuples()]
        yield f"{method_label(str(method))}, {', '.join(effects)}"


def _verdict(found: Collection[str]) -> str:
    if AS_CLAIMED in found:
        return "Mixing helps in part" if OPPOSITE in found else "Mixing helps"
    if OPPOSITE in found:
        return "Mixing hurts"
    return "It is open whether mixing helps" if OPEN in found else "Mixing does not help"


def _limits(rows: pd.DataFrame, experiment: ExperimentConfig) -> str:
    n, is_open = int(rows["n"].max()), rows[rows["verdict"] == INCONCLUSIVE]
    resampled = " that split the same data anew" if rows["resampled"].any() else ""
    alphas = "alphas and layers that are not in params.yaml"
    limits = (
        f"This holds for these data, this net and recipe and {n} seeds{resampled}, with 95 % "
        f"intervals; other nets, recipes and data, and {alphas}, were not tested"
    )
    if is_open.empty:
        return f"{limits}. More seeds would settle nothing: no question is open."
    nearest = is_open.sort_values(["seeds_high", "seeds_low"], kind="stable").iloc[0]
    needed = needed_text(nearest)
    count = f"{len(is_open)} of {len(rows)} questions {'is' if len(is_open) == 1 else 'are'} open"
    if not needed or math.isinf(nearest["seeds_low"]):
        return f"{limits}. {count}; no number of seeds within reach would settle them."
    return f"{limits}. {count}; {nearest['id']} is the nearest: {needed}."
