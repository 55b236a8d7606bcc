"""The next look of a plan: which seeds which experiments still need, written into params.yaml."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import yaml

from study.errors import StudyError
from study.inference.claims import ONE_LOOK, Claim, Look
from study.inference.verdicts import INCONCLUSIVE

WIDTH = 96


def next_seeds(
    claims: Sequence[Claim],
    verdicts: Mapping[str, str],
    seeds: Mapping[str, Sequence[int]],
    looks: Sequence[Look],
    runs: pd.DataFrame,
) -> dict[str, list[int]]:
    """Extend the seeds of the experiments that open claims need, to those of the next look.

    Args:
        claims: the claims.
        verdicts: of each claim, by its id.
        seeds: of each experiment, in their order.
        looks: those of the plan.
        runs: columns experiment, method, seed, metric, value; what was measured.

    Returns:
        {experiment: all its seeds}; new ones count on from the highest.

    Raises:
        StudyError: the look is not due. There is no plan, no claim is open, the plan has no further
            look, or a run that the claims need with the present seeds is missing.
    """
    if looks is ONE_LOOK:
        raise StudyError("claims.yaml has no plan of looks: the results are looked at once")
    still = [claim for claim in claims if verdicts[claim.id] == INCONCLUSIVE]
    if not still:
        raise StudyError("no claim is open: there is nothing left to look at")
    _check_finished(still, seeds, runs)
    sizes = [look.seeds for look in looks if look.seeds]
    asked = dict.fromkeys(claim.experiment for claim in still)
    wanted = {
        name: min(size for size in sizes if size > len(seeds[name]))
        for name in asked
        if len(seeds[name]) < sizes[-1]
    }
    if not wanted:
        raise StudyError(f"the plan's last look, at {sizes[-1]} seeds, was made")
    return {name: _extended(seeds[name], size) for name, size in wanted.items()}


def _check_finished(
    claims: Sequence[Claim], seeds: Mapping[str, Sequence[int]], runs: pd.DataFrame
) -> None:
    run = set(zip(runs["experiment"], runs["method"], runs["seed"], strict=True))
    for claim in claims:
        for side in claim.sides:
            for seed in seeds[claim.experiment]:
                if (claim.experiment, side.method, seed) not in run:
                    raise StudyError(
                        f"the last look is not finished: {claim.experiment} {side.method} with "
                        f"seed {seed} is not in metrics/runs.csv; run `dvc repro`"
                    )


def _extended(seeds: Sequence[int], size: int) -> list[int]:
    first = max(seeds) + 1
    return [*seeds, *range(first, first + size - len(seeds))]


def with_seeds(params: str, experiment: str, seeds: Sequence[int]) -> str:
    """Set the seeds of an experiment in the text of params.yaml; all else stays as it is.

    Args:
        params: the text.
        experiment: one that it has.
        seeds: all of the experiment's.
    """
    at = _value(_value(yaml.compose(params), "experiments"), experiment)
    keys = {key.value: (key, value) for key, value in at.value}
    column = at.start_mark.column
    text = textwrap.fill(
        f"seeds: [{', '.join(map(str, seeds))}]",
        WIDTH,
        subsequent_indent=" " * (column + 2),
    )
    if "seeds" not in keys:
        start = at.start_mark.index
        return f"{params[:start]}{text}\n{' ' * column}{params[start:]}"
    key, value = keys["seeds"]
    # a block list ends only where the next key begins
    end = value.end_mark if value.flow_style else value.value[-1].end_mark
    return params[: key.start_mark.index] + text + params[end.index :]


def _value(node: Any, name: str) -> Any:
    return next(value for key, value in node.value if key.value == name)
