"""The answer to the questions of a study, in sentences, and what to know besides."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
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
    WRONG_SIGN,
)
from study.inference.wording import confidence_text, effect_text, needed_text
from study.measures.catalogue import find
from study.report.findings import listed
from study.summaries import count_choices
from study.tables import BASELINE
from study.training.config import Choice
from study.training.experiment import ExperimentConfig

FINDINGS = {
    AS_CLAIMED: "It helps",
    NEGLIGIBLE: "It helps by less than matters",
    EQUIVALENT: "It makes no difference that matters",
    SMALLER: "It does not help by as much as asked",
    WRONG_SIGN: "It does not help, and is worse, but not surely by as much as matters",
    OPPOSITE: "It hurts",
    OPEN: "Open",
}
"""Outcome of a question -> what that says of mixing."""
OTHERS = {
    BASELINE: "plain training",
    "weight_decay": "plain training that stops early, with a tuned weight decay",
}
MOST_CLASSES = 10


def answer(
    name: str, experiment: ExperimentConfig, ledger: pd.DataFrame, alpha: float
) -> list[str]:
    """Answer the questions about an experiment, first those that compare like with like.

    A sentence is about methods that choose their settings or about those whose settings are fixed,
    against one method. The first is about mixing that chooses against plain training that does.

    Args:
        name: of the experiment.
        experiment: its settings.
        ledger: ``metrics/claims.csv``.
        alpha: mixup.alpha, of methods that have no other.

    Returns:
        The sentences, and another that says of what they hold.
    """
    asked = ledger[(ledger["experiment"] == name) & (ledger["verdict"] != NOT_ASKED)]
    if asked.empty:
        return ["No question was asked."]
    chooses = {method: bool(each.choose) for method, each in experiment.methods.items()}
    of_chosen = asked["method"].map(chooses).astype(bool)
    groups = sorted(
        asked.groupby(["other", of_chosen], sort=False),
        key=lambda group: not (group[0][1] and chooses.get(str(group[0][0]))),
    )
    settings = {
        method: _fixed(method, experiment, alpha)
        for method in asked["method"].unique()
        if not chooses[method]
    }
    sentences = [
        _against(str(other), rows, bool(chosen), settings) for (other, chosen), rows in groups
    ]
    return [*sentences, _limits(asked)]


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
        counts = count_choices(rows)
        choose = experiment.methods[str(method)].choose
        among = f" from {len(choose.combinations)}" if choose else ""
        said = [
            f"{', '.join(_setting(name, str(row[name]), choose) for name in counts.columns[:-1])} "
            f"on {row['seeds']} of {counts['seeds'].sum()} seeds"
            for _, row in counts.head(4).iterrows()
        ]
        more = "; others less often" if len(counts) > len(said) else ""
        words = method_label(str(method))
        yield f"Chosen on validation data by {words}{among}: {'; '.join(said)}{more}."
        if choose:
            yield from _at_edges(words, rows, choose)


def _setting(name: str, value: str, choose: Choice | None) -> str:
    """Say what was chosen, layers in words; only ``choose`` tells numbers of layers from names."""
    for layers in choose.eligible if choose and name == "eligible" else []:
        if " ".join(map(str, layers)) == value:
            return f"at {layers_text(layers)}"
    return f"{name} {value}"


def _at_edges(words: str, choices: pd.DataFrame, choose: Choice) -> Iterator[str]:
    """Say of which numbers a wider list may choose others: most seeds chose the last of them."""
    for setting, rows in choices.groupby("setting", sort=False):
        offered = getattr(choose, str(setting))
        if setting == "eligible" or len(offered) < 2:
            continue
        chosen = rows["chosen"].astype(float)
        edges = [(max(offered), "largest", "more"), (min(offered), "smallest", "less")]
        for edge, which, less_or_more in edges:
            n = int((chosen == edge).sum())
            if edge > 0 and 2 * n > len(chosen):
                yield (
                    f"{words[0].upper()}{words[1:]} chose {setting} {edge} on {n} of {len(chosen)} "
                    f"seeds, the {which} offered: a wider list may choose {less_or_more}."
                )


def about_steps(histories: pd.DataFrame) -> str:
    """Say after how many steps the validation loss is lowest, by method; nothing without one.

    Where that is the last evaluation on most seeds, training was too short to tell.

    Args:
        histories: method, seed, step, validation_loss of every run.
    """
    known = histories.dropna(subset=["validation_loss"]).reset_index(drop=True)
    if known.empty:
        return ""
    lowest = known.loc[known.groupby(["method", "seed"], sort=False)["validation_loss"].idxmin()]
    means = lowest.groupby("method", sort=False)["step"].mean()
    said = [f"{method_label(str(method))} {step:,.0f}" for method, step in means.items()]
    last = known.groupby(["method", "seed"])["step"].transform("max")
    at_end = lowest["step"] == last.loc[lowest.index]
    share = at_end.groupby(lowest["method"], sort=False).mean()
    improving = ", ".join(method_label(str(method)) for method in share.index[share > 0.5])
    too_short = (
        f" On most seeds training was still improving when it ended: raise epochs ({improving})."
        if improving
        else ""
    )
    return (
        f"Steps to the lowest validation loss, of {histories['step'].max():,}, mean over seeds: "
        f"{', '.join(said)}.{too_short}"
    )


def _against(other: str, rows: pd.DataFrame, chosen: bool, settings: Mapping[str, str]) -> str:
    found = rows["outcome"]
    parts = [
        f"{words}: {'; '.join(_effects(rows[found == each]))}."
        for each, words in FINDINGS.items()
        if (found == each).any()
    ]
    verdict = _verdict(set(found), "tuned mixing" if chosen else "mixing that is not tuned")
    against = OTHERS.get(other, method_label(other))
    fixed = "; ".join(settings[method] for method in rows["method"].unique() if method in settings)
    how = f" ({fixed})" if fixed else ""
    return " ".join([f"{verdict[0].upper()}{verdict[1:]} against {against}{how}.", *parts])


def _fixed(method: str, experiment: ExperimentConfig, alpha: float) -> str:
    """Say how a method mixes that chooses nothing."""
    settings = experiment.methods[method]
    if not settings.eligible:
        return method_label(method)
    layers = layers_text(settings.eligible)
    return f"{method_label(method)}: alpha {settings.alpha or alpha:g} at {layers}"


def layers_text(eligible: Sequence[int | str]) -> str:
    """Say in words where mixing may enter, as ``the input and hidden layers 1 and 2``."""
    hidden = [str(layer) for layer in eligible if layer not in (0, "input")]
    named = "layer" if any(isinstance(layer, str) for layer in eligible) else "hidden layer"
    words = ["the input"] if len(hidden) < len(eligible) else []
    if hidden:
        words.append(f"{named}{'s' * (len(hidden) > 1)} {listed(hidden)}")
    return " and ".join(words)


def _effects(rows: pd.DataFrame) -> Iterator[str]:
    for method, of_method in rows.groupby("method", sort=False):
        effects = [f"{find(row.metric).words} {effect_text(row)}" for row in of_method.itertuples()]
        yield f"{method_label(str(method))}, {', '.join(effects)}"


def _verdict(found: Collection[str], subject: str) -> str:
    if AS_CLAIMED in found:
        return f"{subject} helps{' in part' * (OPPOSITE in found)}"
    if OPPOSITE in found:
        return f"{subject} hurts"
    return f"it is open whether {subject} helps" if OPEN in found else f"{subject} does not help"


def _limits(rows: pd.DataFrame) -> str:
    n, is_open = int(rows["n"].max()), rows[rows["verdict"] == INCONCLUSIVE]
    resampled = " that split the same data anew" if rows["resampled"].any() else ""
    alphas = "alphas and layers that are not in params.yaml"
    limits = (
        f"This holds for these data, this net and recipe and {n} seeds{resampled}, with "
        f"{confidence_text(rows['level'].min())} intervals; other nets, recipes and data, "
        f"and {alphas}, were not tested"
    )
    if is_open.empty:
        return f"{limits}. More seeds would settle nothing: no question is open."
    nearest = is_open.sort_values(["seeds_high", "seeds_low"], kind="stable").iloc[0]
    needed = needed_text(nearest)
    count = f"{len(is_open)} of {len(rows)} questions {'is' if len(is_open) == 1 else 'are'} open"
    if not needed or math.isinf(nearest["seeds_low"]):
        return f"{limits}. {count}; no number of seeds within reach would settle them."
    return f"{limits}. {count}; the nearest is “{nearest['sentence']}”: {needed}."
