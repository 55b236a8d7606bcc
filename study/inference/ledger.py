"""The ledger: what the runs say of every claim, by the rule written at the head of claims.yaml."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from study.inference.claims import Claim
from study.inference.design import Design
from study.inference.judge import Asked, Judged, ask, judge
from study.inference.power import seeds_for_mean, seeds_for_share, share_can_be_decided
from study.inference.verdicts import (
    INCONCLUSIVE,
    NAN,
    NOT_ASKED,
    OPEN,
    Estimate,
    Evidence,
    evidence,
    outcome,
)
from study.paths import CLAIMS_TABLE
from study.tables import LEDGER, read_table

IN_JSON = ("verdict", "outcome", "difference", "low", "high")


def ledger_table(
    claims: Sequence[Claim],
    runs: pd.DataFrame,
    unasked: Mapping[str, str] = MappingProxyType({}),
    design: Design = Design(),  # noqa: B008  frozen
) -> pd.DataFrame:
    """Decide every claim that can be asked.

    Args:
        claims: the claims.
        runs: columns experiment, method, seed, metric, value.
        unasked: {id: why} of the claims that the runs cannot answer, as `not_asked` finds them.
            Their verdict is `NOT_ASKED`, their note says why, and they count for nothing.
        design: the looks, and the experiments whose seeds are not independent.

    Returns:
        One row a claim, in their order, with the columns of `LEDGER`. Of these,

        - n, level: the seeds of the look that decided it, or of the last one so far; the error
          of that look, and of the interval.
        - resampled: test points for one training point where seeds split one data set; else 0.
        - difference, low, high: the mean difference to ``other`` over the seeds that have both
          values, and its interval; where ``relative``, as shares of the other value (means of
          logarithms, taken back). With the direction ``varies``, the share of seeds on which the
          method is higher. inf stands for no bound.
        - boot_low, boot_high, p_permutation: as in `study.inference.verdicts`.
        - other_metric: the measure of ``other`` where it is another than ``metric``, else "".
        - bound_low, bound_high: the claim says that the difference lies between these.
        - p, p_holm, verdict: before and after Holm's correction for all tests of the ledger.
        - p_family, verdict_family: with the correction for the tests of its family alone.
        - outcome: as in `study.inference.verdicts`.
        - decidable: whether n seeds could have decided it; seeds_low, seeds_high: how many would.
        - note: what a reader should know besides; "" for nothing.

        NaN stands where there is nothing.

    Randomness: that of `evidence`, from fixed seeds.
    """
    asked = [claim for claim in claims if claim.id not in unasked]
    judged = judge(asked, runs, design)
    n_open = len({c.question for c in asked if judged[c.id].verdict == INCONCLUSIVE})
    level = design.looks[-1].level / max(1, n_open)
    rows = [
        _row(claim, judged, runs, design, level)
        if claim.id in judged
        else _unasked_row(claim, unasked[claim.id])
        for claim in claims
    ]
    return pd.DataFrame(rows, columns=pd.Index(LEDGER))


def _row(
    claim: Claim,
    judged: Mapping[str, Judged],
    runs: pd.DataFrame,
    design: Design,
    open_level: float,
) -> dict[str, Any]:
    of = judged[claim.id]
    resampled = design.resampled.get(claim.experiment, 0.0)
    found = ask(claim, runs, of.look, resampled)
    estimate, robust = found.estimate, Evidence()
    if claim.direction != "varies" and not resampled:
        robust = evidence(found.differences, claim.region, of.look.level)
    twin = judged[claim.twin].verdict if claim.twin and claim.twin in judged else ""
    return {
        **_words(claim, estimate, robust),
        "n": estimate.n,
        "resampled": resampled,
        "level": of.look.level,
        "intervals_agree": intervals_agree(claim, estimate, robust),
        "effect_size": estimate.effect_size,
        "p": estimate.p,
        "p_permutation": robust.p_permutation,
        "p_holm": of.p_holm,
        "verdict": of.verdict,
        "outcome": outcome(claim.direction, claim.matters, estimate, of.verdict),
        "p_family": of.p_family,
        "verdict_family": of.verdict_family,
        **_needed(claim, estimate, of.verdict, open_level, resampled),
        "twin_agrees": of.verdict == twin if twin else None,
        "note": "; ".join(notes(claim, found, of, robust, twin)),
    }


def _unasked_row(claim: Claim, why: str) -> dict[str, Any]:
    words = {"verdict": NOT_ASKED, "outcome": OPEN, "verdict_family": NOT_ASKED, "note": why}
    unknown = dict.fromkeys(("intervals_agree", "decidable", "twin_agrees"))
    return _words(claim, Estimate(0, NAN), Evidence()) | {"n": 0} | unknown | words


def _words(claim: Claim, estimate: Estimate, robust: Evidence) -> dict[str, Any]:
    """Give what the claim says, and effect, intervals and bounds in the unit it speaks of."""
    numbers = {
        "difference": estimate.effect,
        **{end: getattr(estimate, end) for end in ("low", "high")},
        **{end: getattr(robust, end) for end in ("boot_low", "boot_high")},
        "bound_low": claim.region.low,
        "bound_high": claim.region.high,
    }
    if claim.relative:
        numbers = {name: math.expm1(number) for name, number in numbers.items()}
    said = claim.model_dump()
    optional = {key: said[key] or "" for key in ("family", "twin", "known")}
    other = {"other": claim.than, "other_metric": claim.than_metric or ""}
    return said | optional | other | numbers


def _needed(
    claim: Claim, estimate: Estimate, verdict: str, level: float, resampled: float
) -> dict[str, Any]:
    """Say of an open claim whether its seeds could have decided it, and how many would."""
    if verdict != INCONCLUSIVE:
        return {"decidable": None, "seeds_low": NAN, "seeds_high": NAN}
    decidable: bool | None = None
    if claim.direction == "varies":
        decidable = share_can_be_decided(estimate.n, claim.region, level)
        low, high = seeds_for_share(estimate, claim.region, level)
    else:
        low, high = seeds_for_mean(estimate, claim.region, level, resampled)
    return {"decidable": decidable, "seeds_low": low, "seeds_high": high}


def ledger_metrics(ledger: pd.DataFrame, digits: int = 4) -> dict[str, dict[str, Any]]:
    """Pick what `dvc metrics diff` should show: verdict, numbers behind it, by claim.

    Args:
        ledger: what `ledger_table` gives.
        digits: significant digits kept.

    Returns:
        {claim id: {verdict, outcome, difference, low, high}}, without what is missing. The
        corrected p and the seeds needed are left to the table: they change with every other claim.
    """
    return {
        row["id"]: {
            key: _plain(row[key], digits)
            for key in IN_JSON
            if isinstance(row[key], str) or not math.isnan(row[key])
        }
        for row in ledger.to_dict("records")
    }


def read_ledger(path: Path | str = CLAIMS_TABLE) -> pd.DataFrame:
    """Read what the stage wrote of `ledger_table`.

    Raises:
        StudyError: the file is missing or damaged.
    """
    ledger = read_table(path, LEDGER)
    texts = ledger[["family", "other_metric", "twin", "known", "note"]].astype(object)
    return ledger.assign(**texts.where(texts.notna(), ""))


def _plain(value: Any, digits: int) -> Any:
    if isinstance(value, str):
        return value
    return int(value) if float(value).is_integer() else float(f"{value:.{digits}g}")


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
