"""The figures of the study, each with what it shows in words and what it found in numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from study.data.spirals import SPIRALS, SpiralsConfig
from study.figures.draws import drawn_alike
from study.measures.catalogue import find, said_in
from study.params import check
from study.report.findings import drawn, finding, overfitting
from study.report.kinds import KINDS
from study.report.page import picture, size
from study.report.study import spirals_in_words


@dataclass(frozen=True)
class Picture:
    """A figure on the page: where it is from, what it is of, and what it found.

    ``experiment`` is empty for a picture of data.
    """

    name: str
    experiment: str
    kind: str
    uri: str
    size: tuple[int, int]
    title: str
    alt: str
    caption: str


@dataclass(frozen=True)
class Numbers:
    """The tables that captions are made from, of all experiments."""

    summary: pd.DataFrame
    curves: pd.DataFrame
    histories: pd.DataFrame
    alphas: Mapping[str, Mapping[str, float]]
    """Of each experiment the alpha of its methods that mix, without those that choose it."""
    asked: Collection[tuple[str, str]] = ()
    """(experiment, metric) of every claim."""


def gallery(folder: Path, experiments: Iterable[str], numbers: Numbers) -> list[Picture]:
    """Collect the pictures of a folder, by experiment.

    Args:
        folder: PNG files named KIND_EXPERIMENT.png or KIND_EXPERIMENT_PART.png.
        experiments: in the order wanted.
        numbers: what the captions say.

    Returns:
        The pictures whose names are of that form, of the experiments named.
    """
    names = list(experiments)
    found = [_picture(path, names, numbers) for path in sorted(folder.glob("*.png"))]
    order = {kind: place for place, kind in enumerate(KINDS)}
    return sorted(
        filter(None, found), key=lambda shown: (names.index(shown.experiment), order[shown.kind])
    )


def picture_of_spirals(path: Path, config: SpiralsConfig) -> Picture:
    """Take the picture of the spirals data set, as ``config`` describes them."""
    return Picture(
        path.stem,
        "",
        "data",
        picture(path),
        size(path),
        "The spirals data set",
        "The points of the two spirals in the plane, coloured by class.",
        f"{spirals_in_words(config)} Class 0 is blue, class 1 is red.",
    )


def pictures_of_data(params: dict[str, Any]) -> Iterator[Picture]:
    """Take the pictures of the spirals that experiments are of."""
    for name in SPIRALS:
        if name in params:
            config: SpiralsConfig = check(SpiralsConfig, params[name], name)
            yield picture_of_spirals(Path(f"figures/{name}_data.png"), config)


def evidence(pictures: Iterable[Picture], experiment: str, metric: str) -> Iterator[Picture]:
    """Pick the pictures in which a metric of an experiment can be seen."""
    for shown in pictures:
        if shown.experiment == experiment and shown.kind in find(metric).seen_in:
            yield shown


def _picture(path: Path, experiments: list[str], numbers: Numbers) -> Picture | None:
    fitting = [
        (experiment, kind, part)
        for experiment in experiments
        for kind in KINDS
        for part in [_part(path.stem, f"{kind}_{experiment}")]
        if part is not None
    ]
    if not fitting:
        return None
    experiment, kind, part = max(fitting, key=lambda found: len(found[0]))
    if f"{kind}_{part}" in KINDS:
        kind, part = f"{kind}_{part}", ""
    if kind == "bottleneck" and part:
        first, _, last = part.partition("_")
        part = f"classes {first} to {last}"
    return Picture(
        path.stem,
        experiment,
        kind,
        picture(path),
        size(path),
        f"{experiment}: {KINDS[kind].title}" + (f", {part.replace('_', '-')}" if part else ""),
        f"{KINDS[kind].alt}.",
        _caption(kind, experiment, numbers),
    )


def _part(name: str, start: str) -> str | None:
    """Give what follows in a file's name, "" for nothing; None where it does not start so."""
    return name.removeprefix(start).lstrip("_") if f"{name}_".startswith(f"{start}_") else None


def _caption(kind: str, experiment: str, numbers: Numbers) -> str:
    summary = numbers.summary[numbers.summary["experiment"] == experiment]
    if kind == "draws":
        if not (alphas := numbers.alphas.get(experiment)):
            return ""
        methods, alpha = drawn_alike(alphas)
        histories = numbers.histories[numbers.histories["experiment"] == experiment]
        return drawn(histories[histories["method"].isin(methods)], alpha)
    asked = {metric for name, metric in numbers.asked if name == experiment}
    metrics = said_in(kind, summary["metric"].unique(), asked)
    sentences = [finding(summary, metric) for metric in metrics]
    if kind == "bottleneck" and sentences:
        sentences.append("These numbers are of all classes.")
    if kind == "curves":
        curves = numbers.curves[numbers.curves["experiment"] == experiment]
        sentences = [overfitting(curves), *sentences]
    return " ".join(filter(None, sentences))
