"""Every measure of the study, in the order in which people read them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache

from study.measures import (
    allowances,
    deformations,
    embedding,
    features,
    hidden_plane,
    intrusion,
    robustness,
    spectra,
    theorem,
    training,
)
from study.measures.measure import Measure

FAMILIES = (
    training,
    hidden_plane,
    embedding,
    spectra,
    features,
    theorem,
    allowances,
    robustness,
    deformations,
    intrusion,
)
MEASURES: list[Measure] = [measure for family in FAMILIES for measure in family.MEASURES]
UNKNOWN = Measure("", "")


@cache
def find(metric: str) -> Measure:
    """Find the measure of a name in metrics/runs.csv; one without words if there is none."""
    return next((measure for measure in MEASURES if measure.fits(metric)), UNKNOWN)


def label(metric: str) -> str:
    """Give the words for a metric, with its unit; its name for one that has none."""
    measure = find(metric)
    return metric.replace("_", " ") if measure is UNKNOWN else measure.label(metric)


def short(metric: str) -> str:
    """Give the words for a metric where there is little room."""
    return find(metric).short or label(metric)


def title(metric: str) -> str:
    """Give the words for a metric and which way is better, for the head of a panel."""
    measure = find(metric)
    return label(metric) if measure is UNKNOWN else measure.title(metric)


def seen_in(kind: str, metrics: Iterable[str]) -> list[str]:
    """Pick the metrics that figures of a kind draw, in the order of the catalogue."""
    return _in_order(metric for metric in metrics if kind in find(metric).seen_in)


def headlines(metrics: Iterable[str]) -> list[str]:
    """Pick the metrics that a first page shows, in the order of the catalogue."""
    return _in_order(metric for metric in metrics if find(metric).headline)


def said_in(kind: str, metrics: Iterable[str], asked: Collection[str] = ()) -> list[str]:
    """Pick what the captions of figures of a kind say: one metric a measure, two at most.

    Args:
        kind: of the figures.
        metrics: those measured.
        asked: those that come first, because a claim asks about them.
    """
    names = sorted(metrics, key=lambda metric: metric not in asked)
    said = [measure for measure in MEASURES if kind in measure.said_in]
    chosen = (next((name for name in names if find(name) is measure), None) for measure in said)
    return [name for name in chosen if name][:2]


def _in_order(metrics: Iterable[str]) -> list[str]:
    return sorted(metrics, key=lambda metric: MEASURES.index(find(metric)))
