"""The ledger: what the runs say of every claim, by the rule written at the head of claims.yaml."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from study.inference.claims import Claim
from study.inference.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    LEVEL,
    NAN,
    NOT_ASKED,
    Estimate,
    decide,
    estimate_mean,
    estimate_share,
    holm,
    seeds_for_mean,
    seeds_for_share,
)
from study.inference.wins import count_wins
from study.paired import effects, two_sides
from study.tables import LEDGER, read_table

IN_JSON = ("verdict", "difference", "low", "high")


def ledger_table(
    claims: Sequence[Claim], runs: pd.DataFrame, unasked: Mapping[str, str] = MappingProxyType({})
) -> pd.DataFrame:
    """Decide every claim that can be asked.

    Args:
        claims: the claims.
        runs: columns experiment, method, seed, metric, value.
        unasked: {id: why} of the claims that the runs cannot answer, as `not_asked` finds them.
            Their verdict is `NOT_ASKED`, their note says why, and they count for nothing.

    Returns:
        One row a claim, in their order, with the columns of `LEDGER`. Of these,

        - difference, low, high, boot_low, boot_high: the mean difference to ``other`` over the
          seeds that have both values, and its 95 % intervals; where ``relative``, as shares of
          the other value (means of logarithms, taken back). With the direction ``varies``, the
          share of seeds on which the method is higher. inf is a bound there is none of.
        - other_metric: the measure of ``other`` where it is another than ``metric``, else "".
        - bound_low, bound_high: the claim says that the difference lies between these.
        - p, p_holm: before and after Holm's correction for the tests of the claim's family.
        - seeds_needed: of an inconclusive claim; inf for more than 1,000.
        - note: what a reader should know besides; "" for nothing.

        NaN stands for what there is not.

    Randomness: the bootstrap's, from a fixed seed.
    """
    nothing = Estimate(0, NAN), 0
    found = [nothing if claim.id in unasked else _estimate(claim, runs) for claim in claims]
    estimates = [estimate for estimate, _ in found]
    corrected = _corrected(claims, estimates)
    verdicts = {
        claim.id: NOT_ASKED if claim.id in unasked else decide(estimate, claim.region, p_holm)
        for claim, estimate, p_holm in zip(claims, estimates, corrected, strict=True)
    }
    rows = []
    for claim, (estimate, left_out), p_holm in zip(claims, found, corrected, strict=True):
        verdict = verdicts[claim.id]
        twin = verdicts.get(claim.twin or "", "")
        if NOT_ASKED in (verdict, twin):
            twin = ""
        row = claim.model_dump() | _displayed(claim, estimate)
        row |= {"other": claim.than, "other_metric": claim.than_metric or ""}
        row |= {"n": estimate.n, "effect_size": estimate.effect_size}
        row |= {"p": estimate.p, "p_holm": p_holm, "verdict": verdict}
        row["intervals_agree"] = _intervals_agree(claim, estimate)
        level = _level(claims, verdicts, claim.family)
        row["seeds_needed"] = _seeds_needed(claim, estimate, level, verdict)
        row |= {"twin": claim.twin or "", "twin_agrees": verdict == twin if twin else None}
        notes = unasked.get(claim.id) or "; ".join(_notes(claim, estimate, left_out, verdict, twin))
        row["note"] = notes
        rows.append(row)
    return pd.DataFrame(rows, columns=pd.Index(LEDGER))


def ledger_metrics(ledger: pd.DataFrame, digits: int = 4) -> dict[str, dict[str, Any]]:
    """Pick what `dvc metrics diff` should show: verdict, numbers behind it, by claim.

    Args:
        ledger: what `ledger_table` gives.
        digits: significant digits kept.

    Returns:
        {claim id: {verdict, difference, low, high}}, without what there is not. The corrected p
        and the seeds needed are left to the table: they change with every other claim.
    """
    return {
        row["id"]: {
            key: _plain(row[key], digits)
            for key in IN_JSON
            if isinstance(row[key], str) or not math.isnan(row[key])
        }
        for row in ledger.to_dict("records")
    }


def read_ledger(path: Path | str = "metrics/claims.csv") -> pd.DataFrame:
    """Read what the stage wrote of `ledger_table`.

    Raises:
        StudyError: the file is missing or damaged.
    """
    ledger = read_table(path, LEDGER)
    texts = ledger[["other_metric", "twin", "note"]].astype(object)
    return ledger.assign(**texts.where(texts.notna(), ""))


def _estimate(claim: Claim, runs: pd.DataFrame) -> tuple[Estimate, int]:
    """Compare the claim's methods; count the seeds left out because a value is not usable."""
    than = (claim.than, claim.metric_of_other) if isinstance(claim.than, str) else claim.than
    of_method, of_other = two_sides(runs, claim.experiment, (claim.method, claim.metric), than)
    if claim.direction == "varies":
        wins, ties, losses = count_wins(of_method, of_other)
        n = wins + ties + losses
        return estimate_share(wins, ties, n, claim.region), len(of_method) - n
    found = effects(of_method, of_other, relative=claim.relative)
    return estimate_mean(found.to_numpy(), claim.region), len(of_method) - len(found)


def _corrected(claims: Sequence[Claim], estimates: Sequence[Estimate]) -> list[float]:
    """Correct for the number of tests; claims that ask the same question share one test."""
    families: dict[str | None, dict[tuple[Any, ...], float]] = {}
    for claim, estimate in zip(claims, estimates, strict=True):
        families.setdefault(claim.family, {})[claim.question] = estimate.p
    p_holm = {
        family: dict(zip(tests, holm(list(tests.values())).tolist(), strict=True))
        for family, tests in families.items()
    }
    return [p_holm[claim.family][claim.question] for claim in claims]


def _level(claims: Sequence[Claim], verdicts: dict[str, str], family: str | None) -> float:
    """Give Holm's level for the strongest claim of a family that is still open.

    The settled ones are out of the way.
    """
    still_open = {
        claim.question
        for claim in claims
        if claim.family == family and verdicts[claim.id] == INCONCLUSIVE
    }
    return LEVEL / max(1, len(still_open))


def _displayed(claim: Claim, estimate: Estimate) -> dict[str, float]:
    """Give the effect, its intervals and the bounds of the claim in the unit that it speaks of."""
    numbers = {
        "difference": estimate.effect,
        **{end: getattr(estimate, end) for end in ("low", "high", "boot_low", "boot_high")},
        "bound_low": claim.region.low,
        "bound_high": claim.region.high,
    }
    if claim.relative:
        return {name: math.expm1(number) for name, number in numbers.items()}
    return numbers


def _intervals_agree(claim: Claim, estimate: Estimate) -> bool | None:
    """Whether the t and the bootstrap interval, each by itself, say the same of the claim."""
    if math.isnan(estimate.boot_low):
        return None
    return _alone(claim, estimate) == claim.region.place(estimate.boot_low, estimate.boot_high)


def _alone(claim: Claim, estimate: Estimate) -> str:
    return claim.region.place(estimate.low, estimate.high)


def _seeds_needed(claim: Claim, estimate: Estimate, level: float, verdict: str) -> float:
    if verdict != INCONCLUSIVE:
        return math.nan
    count = seeds_for_share if claim.direction == "varies" else seeds_for_mean
    return count(estimate, claim.region, level)


def _notes(
    claim: Claim, estimate: Estimate, left_out: int, verdict: str, twin: str
) -> Iterator[str]:
    if verdict == CONTRADICTED and claim.direction in ("higher", "lower"):
        opposite = estimate.low > 0 if claim.direction == "lower" else estimate.high < 0
        yield "it goes the other way" if opposite else "no difference that matters"
    if twin and twin != verdict:
        yield f"unlike its scale-free twin {claim.twin}, which is {twin}"
    if _intervals_agree(claim, estimate) is False:
        by_bootstrap = claim.region.place(estimate.boot_low, estimate.boot_high)
        yield f"t and bootstrap intervals disagree: by the bootstrap's alone it is {by_bootstrap}"
    if verdict == INCONCLUSIVE and _alone(claim, estimate) != INCONCLUSIVE:
        yield f"as the only claim it would be {_alone(claim, estimate)}"
    if estimate.n < 2:
        yield f"{estimate.n} seed{'s' * (estimate.n != 1)}: no test"
    elif math.isnan(estimate.p):
        yield "the same difference on every seed: no test"
    if left_out:
        yield f"{left_out} of {left_out + estimate.n} seeds left out: no usable value"


def _plain(value: Any, digits: int) -> Any:
    if isinstance(value, str):
        return value
    return int(value) if float(value).is_integer() else float(f"{value:.{digits}g}")
