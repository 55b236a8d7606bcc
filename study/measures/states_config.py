"""What params.yaml may say about the hidden states that are measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from study.params import ParamsError, Section, did_you_mean
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
        """Refuse experiments and methods that there are not, or that cannot be measured.

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
        raise ParamsError(f"{place} names {name!r}, which is no experiment{nearest}")
    return experiments[name]
