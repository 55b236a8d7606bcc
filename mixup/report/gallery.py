"""The figures of the study, each with what it shows in words and what it found in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mixup.data.spirals import SpiralsConfig
from mixup.report.findings import drawn, finding, overfitting
from mixup.report.page import picture
from mixup.report.study import spirals_in_words

# A kind's title, what a picture shows for who cannot see it, and the metrics it is evidence for.
_KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "boundaries": (
        "predictions over the plane",
        "Maps of the predicted probability over the plane with the training points, "
        "a panel for each method and seed",
        ("low_confidence_area",),
    ),
    "hidden": (
        "input and hidden space",
        "Maps of the predicted probability over the inputs and, below, over the two bottleneck "
        "units, with the training points, a column for each method",
        ("hidden_low_confidence_area", "hidden_effective_rank", "boundary_length"),
    ),
    "bottleneck": (
        "bottleneck states",
        "Scatter plots of the two bottleneck units, coloured by class, a column for each method",
        ("test_scatter_ratio", "test_core_hull_coverage", "test_silhouette"),
    ),
    "curves": (
        "training curves",
        "Loss and accuracy on training and on test data over the steps of training, "
        "a line for each method",
        ("test_nll",),
    ),
    "methods": (
        "measures by method",
        "Each seed's value of each measure, with mean and interval, a row for each method",
        ("test_accuracy", "test_nll", "test_ece"),
    ),
    "layers": (
        "where mixing may enter, and alpha",
        "Heat maps of a measure, a row for each eligible set and a column for each alpha",
        ("test_accuracy", "test_nll"),
    ),
    "reliability": (
        "reliability before and after temperature scaling",
        "Accuracy against confidence, bin by bin, a panel for each method",
        ("test_ece", "tempered_test_ece"),
    ),
    "allowances": (
        "early stopping and temperature scaling",
        "Scores of each method as it is, stopped early and temperature scaled",
        ("test_nll", "tempered_test_nll", "stopped_test_nll"),
    ),
    "intrusion": (
        "mixed points that land on another class",
        "Share of intruding mixed points by layer, a line for each method, and how well intrusion "
        "tells test errors",
        ("intrusion_0", "intrusion_auc"),
    ),
    "spectra": (
        "singular values",
        "Singular values of the states of each class, a line for each method",
        (),
    ),
    "draws": (
        "the random draws of mixing",
        "The layer and the weight that mixing drew, over training and in total",
        (),
    ),
}
_SPECTRA = {
    "raw": "test_first_singular_value_raw",
    "centred": "test_first_singular_value_centred",
    "scale_free": "test_first_singular_value_scale_free",
}


@dataclass(frozen=True)
class Picture:
    """A figure on the page: where it is from, what it is of, and what it found.

    ``experiment`` is empty for a picture of data.
    """

    name: str
    experiment: str
    kind: str
    uri: str
    title: str
    alt: str
    caption: str
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Numbers:
    """The tables that captions are made from, of all experiments."""

    summary: pd.DataFrame
    curves: pd.DataFrame
    histories: pd.DataFrame
    alphas: Mapping[str, float | None]


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
    order = {kind: place for place, kind in enumerate(_KINDS)}
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
        "The spirals data set",
        "The points of the two spirals in the plane, coloured by class.",
        f"{spirals_in_words(config)} Class 0 is blue, class 1 is red.",
        (),
    )


def evidence(pictures: Iterable[Picture], experiment: str, metric: str) -> Iterator[Picture]:
    """Pick the pictures in which a metric of an experiment can be seen."""
    for shown in pictures:
        if shown.experiment == experiment and metric in shown.metrics:
            yield shown


def _picture(path: Path, experiments: list[str], numbers: Numbers) -> Picture | None:
    kind, _, rest = path.stem.partition("_")
    fitting = [name for name in experiments if rest == name or rest.startswith(f"{name}_")]
    if kind not in _KINDS or not fitting:
        return None
    experiment = max(fitting, key=len)
    part = rest.removeprefix(experiment).lstrip("_")
    title, alt, metrics = _KINDS[kind]
    if kind == "spectra":
        metrics = (_SPECTRA[part],) if part in _SPECTRA else ()
    if kind == "bottleneck" and part:
        first, _, last = part.partition("_")
        part = f"classes {first} to {last}"
    return Picture(
        path.stem,
        experiment,
        kind,
        picture(path),
        f"{experiment}: {title}" + (f", {part.replace('_', '-')}" if part else ""),
        f"{alt}.",
        _caption(kind, experiment, metrics, numbers),
        metrics,
    )


def _caption(kind: str, experiment: str, metrics: tuple[str, ...], numbers: Numbers) -> str:
    summary = numbers.summary[numbers.summary["experiment"] == experiment]
    if kind == "draws":
        alpha = numbers.alphas.get(experiment)
        histories = numbers.histories[numbers.histories["experiment"] == experiment]
        return drawn(histories, alpha) if alpha else ""
    sentences = [finding(summary, metric) for metric in metrics[:2]]
    if kind == "curves":
        curves = numbers.curves[numbers.curves["experiment"] == experiment]
        sentences = [overfitting(curves), *sentences]
    return " ".join(filter(None, sentences))
