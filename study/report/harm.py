"""What a wrong sign says: whether it is by as much as matters."""

from __future__ import annotations

from typing import Any

from study.inference.verdicts import EQUIVALENT, OPPOSITE

WORSE = "worse, but not surely by as much as matters"


def finding(row: Any) -> str:
    """Name what was found of a claim: the ledger's outcome, but that an `OPPOSITE` must matter.

    Args:
        row: of the ledger, with its columns as attributes.

    Returns:
        The outcome. Where it is `OPPOSITE`, which is any sign that is certain to be wrong: that,
        if the difference found is at least the smallest that matters; `EQUIVALENT`, if the whole
        interval is less; else `WORSE`.
    """
    if row.outcome != OPPOSITE or row.direction not in ("higher", "lower"):
        return str(row.outcome)
    if max(abs(row.low), abs(row.high)) < row.smallest:
        return EQUIVALENT
    return OPPOSITE if abs(row.difference) >= row.smallest else WORSE
