"""What params.yaml may say about measuring hidden states and robustness; without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from study.data.spirals import SPIRALS
from study.params import ParamsError, Section, did_you_mean, unique
from study.paths import RunKey
from study.training.experiment import ExperimentConfig, Name, Names


class StatesConfig(Section):
    """Which runs' hidden states are measured, and how finely."""

    features: dict[Name, Names]
    """Experiment -> methods whose states are looked at as features, spectra and neighbours, where
    they are run."""
    bottlenecks: Names
    """Experiments whose bottlenecks are held against the theory, with all of their methods."""
    neighbours: Annotated[int, Field(ge=1, le=1000)]
    """Training points that vote on the class of a test point."""
    pairs: Annotated[int, Field(ge=1, le=100_000)]
    """Random pairs of points, along each of which a measure of linearity is taken."""

    def applies(self, key: RunKey, experiment: ExperimentConfig) -> bool:
        """Whether any state of the run is measured."""
        return self.as_features(key) or key.experiment in self.bottlenecks

    def as_features(self, key: RunKey) -> bool:
        """Whether the run's states are measured as features."""
        return key.method in self.features.get(key.experiment, [])

    def check_fits(self, experiments: Mapping[str, ExperimentConfig]) -> None:
        """Refuse experiments and methods that do not exist, or cannot be measured.

        Raises:
            ParamsError: one line that names the key and what stood there.
        """
        for name, methods in self.features.items():
            experiment = _of(experiments, name, "states.features")
            for method in methods:
                if method not in experiment.methods:
                    nearest = did_you_mean(method, experiment.methods)
                    raise ParamsError(f"states.features.{name} names {method!r}{nearest}")
        for name in self.bottlenecks:
            if _of(experiments, name, "states.bottlenecks").net.bottleneck is None:
                raise ParamsError(f"states.bottlenecks names {name!r}, which has no net.bottleneck")


def _of(experiments: Mapping[str, ExperimentConfig], name: str, place: str) -> ExperimentConfig:
    if name not in experiments:
        nearest = did_you_mean(name, experiments)
        raise ParamsError(f"{place} names {name!r}, which is not in experiments{nearest}")
    return experiments[name]


# Numbers become part of metric names, without an exponent.
Radius = Annotated[float, Field(ge=1e-4, le=1)]
Radii = Annotated[list[Radius], Field(min_length=1), AfterValidator(unique)]
Angle = Annotated[float, Field(ge=1e-3, le=180)]
Slant = Annotated[float, Field(ge=1e-3, le=89)]
Scale = Annotated[float, Field(ge=1e-2, le=100)]
Repeats = Annotated[int, Field(ge=1, le=10_000)]


class AttacksConfig(Section):
    """How hard nets are attacked."""

    radii: Radii
    """Radii of the L-infinity balls; pixels lie in 0..1."""
    pgd_steps: Repeats
    """Gradient steps of one search of PGD."""
    pgd_searches: Repeats
    """Searches of PGD, each from a random point of the ball; those after the first are restarts."""
    n_samples: Annotated[int, Field(ge=1, le=10**7)]
    """Test points attacked, evenly spaced in the test split; all of it if it has fewer."""


class DeformationsConfig(Section):
    """Which deformations of test images nets meet."""

    rotations: Annotated[list[Angle], AfterValidator(unique)]
    """Largest angles in degrees; each image turns by its own, uniform in -angle..angle."""
    shears: Annotated[list[Slant], AfterValidator(unique)]
    """Largest angles in degrees, drawn likewise."""
    zooms: Annotated[list[Scale], AfterValidator(unique)]
    """Shares of the image's width shown: below 1 zooms in, above 1 out."""
    n_samples: Annotated[int, Field(ge=1, le=10**7)] = 10**7
    """Test points deformed, evenly spaced in the test split; all of it if it has fewer."""


class RobustnessConfig(Section):
    """Which runs are attacked and meet deformed images."""

    experiments: Names
    """Experiments on images, of which every run is measured."""
    attacks: AttacksConfig
    deformations: DeformationsConfig

    def applies(self, key: RunKey, experiment: ExperimentConfig) -> bool:
        """Whether the run is of an experiment named here."""
        return key.experiment in self.experiments

    def check_fits(self, experiments: Mapping[str, ExperimentConfig]) -> None:
        """Refuse experiments that do not exist, or have no images.

        Raises:
            ParamsError: one of them is not in ``experiments``, or is on the spirals.
        """
        for name in self.experiments:
            if _of(experiments, name, "robustness.experiments").data in SPIRALS:
                raise ParamsError(
                    f"robustness.experiments names {name!r}, whose data are spirals, not images"
                )
