"""What was found where a claim is decided: how the effect lies to zero and to what matters."""

from __future__ import annotations

from study.inference.verdicts import CONTRADICTED, SUPPORTED, Estimate, Region

AS_CLAIMED = "as claimed"
NEGLIGIBLE = "right sign but negligible"
EQUIVALENT = "no difference that matters"
OPPOSITE = "opposite"
SMALLER = "smaller than claimed or opposite"
DIFFERENT = "different"
ONE_SIDED = "does not depend on the seed"
OPEN = "open"


def outcome(direction: str, matters: Region, estimate: Estimate, verdict: str) -> str:
    """Name what was found of a claim; a contradicted one may be so in several ways.

    Args:
        direction: of the claim.
        matters: minus and plus the smallest difference that matters, in the unit of the effect.
        estimate: its interval says where the effect lies.
        verdict: of the claim.

    Returns:
        `AS_CLAIMED`, or `EQUIVALENT` where that was the claim. Of a contradicted claim:
        `NEGLIGIBLE`, in the direction claimed, but less than matters; `EQUIVALENT`, the interval
        has zero in it and lies between the smallest differences; `OPPOSITE`; `SMALLER`, it
        leaves open which of these. `DIFFERENT` and `ONE_SIDED` are not the same and not varying.
        `OPEN` where nothing is decided.
    """
    if verdict == SUPPORTED:
        return EQUIVALENT if direction == "same" else AS_CLAIMED
    if verdict != CONTRADICTED:
        return OPEN
    if direction in ("same", "varies"):
        return DIFFERENT if direction == "same" else ONE_SIDED
    if direction.startswith("not"):
        return OPPOSITE
    low, high, least = estimate.low, estimate.high, matters.low
    if direction == "lower":
        low, high, least = -high, -low, -matters.high
    if high < 0:
        return OPPOSITE
    if low > 0:
        return NEGLIGIBLE
    return EQUIVALENT if low > least else SMALLER
