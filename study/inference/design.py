"""What a study fixed before its runs: when it looks at them, and which seeds are dependent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from study.errors import StudyError
from study.inference.claims import CLAIMS, Claim, ClaimsFile, check_known
from study.inference.looks import ONE_LOOK, Look
from study.params import check, read_params
from study.training.config import TrainingConfig
from study.training.experiment import ExperimentConfig


@dataclass(frozen=True)
class Design:
    """The looks at the results, and of each experiment that splits one data set anew the ratio."""

    looks: Sequence[Look] = ONE_LOOK
    resampled: Mapping[str, float] = field(default_factory=dict)
    """Experiment -> test points for one training point; the others' seeds are independent."""


def read_design(
    claims: Sequence[Claim],
    experiments: Mapping[str, ExperimentConfig],
    path: Path | str = CLAIMS,
) -> Design:
    """Read the plan of looks from claims.yaml, and which experiments are resampled.

    Raises:
        ParamsError: a key has a value that cannot be used.
        StudyError: an experiment is not in params.yaml, or its seeds share nothing; a claim with
            the direction ``varies`` is of a resampled one, for which there is no exact test.
    """
    file: ClaimsFile = check(ClaimsFile, read_params(path), str(path))
    for name in file.resampled:
        check_known(f"{path}: resampled.{name}", name, experiments, "params.yaml")
        if experiments[name].training.disjoint:
            raise StudyError(f"{path}: resampled.{name}: its seeds share no training points")
    for claim in claims:
        if claim.direction == "varies" and claim.experiment in file.resampled:
            raise StudyError(
                f"{path}: {claim.id}: the direction varies needs independent seeds, and "
                f"those of {claim.experiment} are resampled"
            )
    return Design(
        file.plan.steps if file.plan else ONE_LOOK,
        {name: _ratio(experiments[name].training) for name in file.resampled},
    )


def _ratio(recipe: TrainingConfig) -> float:
    trained = (1 - recipe.test_fraction) * (1 - recipe.validation_fraction)
    return recipe.test_fraction / trained
