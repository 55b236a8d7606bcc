"""What people read of a measure: its words, its unit, which way is better, where it is shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Measure:
    """A measure of runs, or several whose names differ in a number such as a radius.

    Args:
        name: its name in metrics/runs.csv, as a regular expression; what its groups find fills the
            places ``{}`` of ``words``.
        words: what it is called where people read it.
        short: the same where there is less room, with the unit; ``words`` and unit if it is "".
        digits: after the point, where a figure writes its values.
        unit: of its values; "" for a share, a count or a number without a unit.
        better: what of it is better, where that is beyond dispute.
        seen_in: kinds of figures that draw it; ``methods`` gives it a panel of its own.
        said_in: those of ``seen_in`` whose captions say its numbers.
        meaning: explains its words at the foot of a figure.
        headline: whether docs/claims.md shows its mean for every method.
    """

    name: str
    words: str
    unit: str = ""
    better: Literal["more", "less", ""] = ""
    seen_in: Sequence[str] = ()
    said_in: Sequence[str] = ()
    meaning: str = ""
    headline: bool = False
    short: str = ""
    digits: int = 2

    def __post_init__(self) -> None:
        if unseen := [kind for kind in self.said_in if kind not in self.seen_in]:
            raise ValueError(f"{self.name} is said in {unseen[0]}, where it is not seen")

    def fits(self, metric: str) -> bool:
        """Whether ``metric``, a name in metrics/runs.csv, is of this measure."""
        return re.fullmatch(self.name, metric) is not None

    def label(self, metric: str) -> str:
        """Give the words for ``metric``, with its unit: ``loss under PGD of radius 0.1, nats``.

        Raises:
            ValueError: the metric is not of this measure.
        """
        found = re.fullmatch(self.name, metric)
        if not found:
            raise ValueError(f"{metric} is not {self.name}")
        words = self.words.format(*(part.replace("_", ".") for part in found.groups()))
        return f"{words}, {self.unit}" if self.unit else words

    def title(self, metric: str) -> str:
        """Give the words for ``metric`` and which way is better, for the head of a panel."""
        return self.label(metric) + (f" ({self.better} is better)" if self.better else "")


def of_training(measures: Sequence[Measure]) -> list[Measure]:
    """Give measures of test data again, of training data: in tables, and in no figure.

    Args:
        measures: names begin with ``test_``, and words end in ``, test``.
    """
    return [
        Measure(
            m.name.replace("test_", "train_", 1),
            m.words.removesuffix(", test") + ", train",
            m.unit,
            m.better,
        )
        for m in measures
    ]


def after_layer(measures: Sequence[Measure], k: int) -> list[Measure]:
    """Give measures of bottlenecks again, of the state after hidden layer ``k``: ``_after_k``."""
    return [
        replace(
            m,
            name=f"{m.name}_after_{k}",
            words=f"{m.words}, after layer {k}",
            seen_in=(),
            said_in=(),
            meaning="",
            headline=False,
            short="",
        )
        for m in measures
    ]


def named(value: float) -> str:
    """Write a number as part of a metric's name: ``0_1`` for 0.1, ``20`` for 20.0."""
    return repr(float(value)).removesuffix(".0").replace(".", "_")
