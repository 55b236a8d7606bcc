"""What claims.yaml says: claims, when the results are looked at, and what is shown of them."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field
from pydantic import model_validator as check_after

from study.inference.verdicts import Region
from study.paired import LEVEL
from study.params import ParamsError, Section, check, did_you_mean, read_params
from study.training.experiment import Name, Names


class Look(NamedTuple):
    """One look at the results: the first so many seeds, None for all, and the error it may make."""

    seeds: int | None
    level: float


ONE_LOOK = (Look(None, LEVEL),)
"""Without a plan: all the seeds there are, once."""


class Plan(Section):
    """When a study looks at its results, decided before its first run.

    Looking again and again errs more often than each look by itself; here the errors of all
    looks add up to at most `LEVEL`, whatever the results make of the later ones.

    Source: Bonferroni over looks, the simplest of the group-sequential plans in Jennison and
    Turnbull, Group Sequential Methods, 2000.
    """

    looks: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=1)]
    """Seeds at each look, ascending."""
    errors: list[Annotated[float, Field(gt=0, le=LEVEL)]]
    """The chance that any verdict of the look is wrong."""

    @check_after(mode="after")
    def _adds_up(self) -> Self:
        if len(self.errors) != len(self.looks):
            raise ValueError("must have as many errors as looks")
        if any(later <= earlier for earlier, later in pairwise(self.looks)):
            raise ValueError("must have looks in ascending order")
        if sum(self.errors) > LEVEL + 1e-12:
            raise ValueError(f"must have errors that add up to at most {LEVEL}")
        return self

    @property
    def steps(self) -> tuple[Look, ...]:
        """The looks, each with its error."""
        return tuple(map(Look, self.looks, self.errors))


CLAIMS = Path("claims.yaml")

Id = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
Text = Annotated[str, Field(pattern=r"^\S(.*\S)?$")]
# Beyond it, sums of squares overflow in the end; no measure comes near.
MOST = 1e9
Bounded = Annotated[float, Field(ge=-MOST, le=MOST)]
Direction = Literal["higher", "lower", "same", "varies", "not_higher", "not_lower"]

UNBOUNDED = ("higher", "not_higher")
"""With these, a relative difference may be larger than the other value."""


class Side(NamedTuple):
    """A method of a claim and its measure, each with its key in claims.yaml."""

    method_key: str
    method: str
    metric_key: str
    metric: str


class Claim(Section):
    """A sentence about the methods, and the measurement that decides it."""

    id: Id
    """Its name in the ledger."""
    sentence: Text
    """What is claimed, in words."""
    source: Text
    """Who claims it, and where."""
    experiment: Name
    metric: Name
    """A measure of metrics/runs.csv."""
    method: Name
    """The method that the claim is about."""
    than: Name | Bounded
    """What it is compared with: another method, paired by seed, or a number."""
    than_metric: Name | None = None
    """The measure of `than`, where it is another than `metric`."""
    direction: Direction
    """`higher` or `lower` than that by more than `smallest`; the `same` up to `smallest`;
    `not_higher` or `not_lower` by as much as `smallest`; or `varies`: on a share of the seeds
    between `smallest` and 1 - `smallest` it is higher."""
    smallest: Annotated[float, Field(ge=0, le=MOST)]
    """The smallest difference that matters."""
    relative: bool = False
    """Whether differences are shares of the other value, -0.1 being 10 % less, instead of being in
    the metric's own unit."""
    twin: Id | None = None
    """Another claim, which asks the same of a measure free of scale."""
    family: Id | None = None
    """The question that it belongs to; None is a family too."""
    known: Text | None = None
    """What was known of its outcome when it was written down."""

    @check_after(mode="after")
    def _can_be_asked(self) -> Self:
        if self.than_metric and not isinstance(self.than, str):
            raise ValueError(f"than_metric needs a method to measure, got than {self.than}")
        if (self.method, self.metric) == (self.than, self.metric_of_other):
            raise ValueError(f"compares {self.method} with itself")
        if self.direction not in ("higher", "lower") and not self.smallest > 0:
            raise ValueError(f"smallest must be > 0 where the direction is {self.direction}")
        if self.direction == "varies" and (
            self.relative or not isinstance(self.than, str) or self.smallest >= 0.5
        ):
            raise ValueError(
                "with the direction varies, than must be a method, smallest < 0.5, relative false"
            )
        if self.relative and self.direction not in UNBOUNDED and self.smallest >= 1:
            raise ValueError(f"nothing can be lower by a share of {self.smallest}")
        if self.relative and not isinstance(self.than, str) and self.than <= 0:
            raise ValueError(f"than must be > 0 where relative is true, got {self.than}")
        return self

    @property
    def metric_of_other(self) -> str:
        """The measure of `than`."""
        return self.than_metric or self.metric

    @property
    def sides(self) -> list[Side]:
        """What it compares and is to be measured: the method and, unless a number, the other."""
        of_method = Side("method", self.method, "metric", self.metric)
        if not isinstance(self.than, str):
            return [of_method]
        key = "than_metric" if self.than_metric else "metric"
        return [of_method, Side("than", self.than, key, self.metric_of_other)]

    @property
    def region(self) -> Region:
        """Where the effect lies if the claim holds; where `relative`, the effect is a log ratio."""
        most, least = self.matters
        return {
            "higher": Region(least, math.inf),
            "lower": Region(-math.inf, most),
            "same": Region(most, least),
            "not_higher": Region(-math.inf, least),
            "not_lower": Region(most, math.inf),
            "varies": Region(least, 1 - least),
        }[self.direction]

    @property
    def matters(self) -> Region:
        """Minus and plus the smallest difference that matters, in the unit of the effect."""
        if not self.relative:
            return Region(-self.smallest, self.smallest)
        most = math.log1p(-self.smallest) if self.smallest < 1 else -math.inf
        return Region(most, math.log1p(self.smallest))

    @property
    def question(self) -> tuple[Any, ...]:
        """What is tested: claims of equal questions are one test."""
        sides = (self.metric, self.method, self.metric_of_other, self.than)
        return (self.experiment, *sides, self.region, self.relative)


class ClaimsFile(Section):
    """All of claims.yaml."""

    claims: list[dict[str, Any]]
    headline: dict[Name, Names] = Field(default_factory=dict)
    """Experiment -> the measures of it that DVC shows unasked."""
    plan: Plan | None = None
    """When the results are looked at; without it once, at all seeds."""
    resampled: Names = Field(default_factory=list)
    """Experiments whose seeds split one fixed data set, so that their training sets overlap."""
    questions: dict[Id, Text] = Field(default_factory=dict)
    """Family -> the question that its claims ask, in words."""


def read_file(path: Path | str = CLAIMS) -> ClaimsFile:
    """Read claims.yaml, but for what its claims say.

    Raises:
        ParamsError: the file is missing or is not YAML, or a key has a value that cannot be used.
    """
    content = read_params(path)
    try:
        file: ClaimsFile = check(ClaimsFile, content)
    except ParamsError as error:
        raise ParamsError(f"{path}: {error}") from error
    return file


def read_claims(path: Path | str = CLAIMS) -> list[Claim]:
    """Read claims.yaml.

    Raises:
        ParamsError: the file is missing or is not YAML; an entry has an unknown, missing or
            unusable key, or an id that another entry has; a twin is not in the file. The message
            names the claim and the key.
    """
    claims: list[Claim] = [
        check(Claim, entry, f"{path}: {_name(entry, number)}")
        for number, entry in enumerate(read_file(path).claims, 1)
    ]
    ids = [claim.id for claim in claims]
    for claim in claims:
        if ids.count(claim.id) > 1:
            raise ParamsError(f"{path}: {claim.id}.id is that of another claim too")
        if claim.twin is not None and claim.twin not in ids:
            raise ParamsError(f"{path}: {claim.id}.twin is {claim.twin!r}, which is no claim's id")
    return claims


def read_questions(path: Path | str = CLAIMS) -> dict[str, str]:
    """Read from claims.yaml what the families of claims ask: family -> question.

    Raises:
        ParamsError: claims.yaml cannot be read, or no claim is of a family that it names.
    """
    questions = read_file(path).questions
    families = [claim.family for claim in read_claims(path) if claim.family]
    for family in questions:
        if family not in families:
            meant = did_you_mean(family, families)
            raise ParamsError(f"{path}: questions.{family} is the family of no claim{meant}")
    return questions


def _name(entry: dict[str, Any], number: int) -> str:
    """Name a claim in a message: by its id if that can stand in a line, else by its place."""
    name = entry.get("id")
    fits = isinstance(name, str) and name.isprintable() and 0 < len(name) <= 80
    return str(name) if fits else f"claim number {number}"
