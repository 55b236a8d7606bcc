"""Claims grouped for readers: by the question they belong to, by verdict, by who makes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from study.inference.verdicts import ALL_VERDICTS, SETTLED
from study.inference.wording import count_verdicts
from study.report.claims import ClaimView


@dataclass(frozen=True)
class Question:
    """The claims of one family: those that are settled, and the others."""

    words: str
    settled: Sequence[ClaimView]
    open: Sequence[ClaimView]


def counted(views: Sequence[ClaimView]) -> dict[str, int]:
    """Count the claims of each verdict."""
    return count_verdicts(view.row["verdict"] for view in views)


def by_question(views: Sequence[ClaimView], words: Mapping[str, str]) -> list[Question]:
    """Group claims by the question that they belong to, in the order of the claims.

    Args:
        views: the claims.
        words: family -> its question; a family that is not in it is called by its name.
    """
    families: dict[str, list[ClaimView]] = {}
    for view in sorted(views, key=lambda view: ALL_VERDICTS.index(view.row["verdict"])):
        families.setdefault(view.row["family"], []).append(view)
    order = dict.fromkeys(view.row["family"] for view in views)
    return [
        Question(
            words.get(family, _spelled(family)),
            [view for view in families[family] if view.row["verdict"] in SETTLED],
            [view for view in families[family] if view.row["verdict"] not in SETTLED],
        )
        for family in order
    ]


def _spelled(family: str) -> str:
    return re.sub("[-_]", " ", family).capitalize() or "Other claims"


def by_source(views: Sequence[ClaimView]) -> dict[str, list[ClaimView]]:
    """Group claims by who makes them first: "Smith 2020, table 1; a video" is "Smith 2020"."""
    groups: dict[str, list[ClaimView]] = {}
    for view in views:
        groups.setdefault(_source(view), []).append(view)
    return groups


def _source(view: ClaimView) -> str:
    return re.split(r"[,;(]", view.row["source"])[0].strip()
