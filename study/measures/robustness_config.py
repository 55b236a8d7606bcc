"""What params.yaml may say about attacks and deformations; quick to import, without torch."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from study.params import ParamsError, Section, did_you_mean, unique
from study.paths import RunKey
from study.training.experiment import ExperimentConfig, Names

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
        """Refuse experiments that there are not, or that have no images.

        Raises:
            ParamsError: one of them is none of ``experiments``, or is on the spirals, which are
                no images.
        """
        for name in self.experiments:
            if name not in experiments:
                nearest = did_you_mean(name, experiments)
                raise ParamsError(
                    f"robustness.experiments names {name!r}, which is not in experiments{nearest}"
                )
            if experiments[name].data in ("spirals", "mirrored_spirals"):
                raise ParamsError(
                    f"robustness.experiments names {name!r}, whose data are spirals, not images"
                )
