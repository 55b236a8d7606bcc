"""What a reader of the ledger should know of a claim besides its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from study.inference.claims import Claim
from study.inference.evidence import Evidence
from study.inference.judge import Asked, Judged
from study.inference.verdicts import INCONCLUSIVE, Estimate


def notes(claim: Claim, asked: Asked, judged: Judged, robust: Evidence, twin: str) -> Iterator[str]:
    """Say what is particular about a claim's verdict.

    Args:
        claim: the claim.
        asked: its numbers.
        judged: its verdicts.
        robust: what stands beside the t test.
        twin: the verdict of its scale-free twin, "" for none.
    """
    estimate, verdict = asked.estimate, judged.verdict
    if twin and twin != verdict:
        yield f"unlike its scale-free twin {claim.twin}, which is {twin}"
    if intervals_agree(claim, estimate, robust) is False:
        by_bootstrap = claim.region.place(robust.boot_low, robust.boot_high)
        yield f"t and bootstrap intervals disagree: by the bootstrap's alone it is {by_bootstrap}"
    by_signs = robust.p_permutation < judged.look.level
    if not math.isnan(robust.p_permutation) and by_signs != (estimate.p < judged.look.level):
        yield f"t and permutation test disagree: p {estimate.p:.2g} and {robust.p_permutation:.2g}"
    alone = claim.region.place(estimate.low, estimate.high)
    if verdict != judged.verdict_family:
        yield f"corrected for its family alone it would be {judged.verdict_family}"
    elif judged.reached and verdict == INCONCLUSIVE and alone != INCONCLUSIVE:
        yield f"as the only claim it would be {alone}"
    if not judged.reached:
        yield f"{asked.n_run} seeds: the first look takes {judged.look.seeds}"
    if estimate.n < 2:
        yield f"{estimate.n} seed{'s' * (estimate.n != 1)}: no test"
    elif math.isnan(estimate.p):
        yield "the same difference on every seed: no test"
    if asked.left_out:
        yield f"{asked.left_out} of {asked.left_out + estimate.n} seeds left out: no usable value"


def intervals_agree(claim: Claim, estimate: Estimate, robust: Evidence) -> bool | None:
    """Whether the t and the bootstrap interval, each by itself, say the same of the claim."""
    if math.isnan(robust.boot_low):
        return None
    by_t = claim.region.place(estimate.low, estimate.high)
    return by_t == claim.region.place(robust.boot_low, robust.boot_high)
