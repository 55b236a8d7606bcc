"""What params.yaml may say about experiments, methods and training, checked before any work."""

from itertools import product
from pathlib import Path
from typing import Annotated, NamedTuple, Self, TypeVar

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic import model_validator as check_after

from mixup.params import ParamsError, Section, read_section

T = TypeVar("T")


def _unique(values: list[T]) -> list[T]:
    if len(set(values)) != len(values):
        raise ValueError("must not repeat an entry")
    return values


Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Seeds = Annotated[list[NonNegativeInt], Field(min_length=1), AfterValidator(_unique)]
Names = Annotated[list[Name], AfterValidator(_unique)]


class Bottleneck(Section):
    """The narrow hidden layer."""

    layer: PositiveInt
    """k of the bottleneck: the k-th hidden layer, from 1."""
    size: PositiveInt
    """Number of its units."""


class NetConfig(Section):
    """Shape of the multi-layer perceptron."""

    width: PositiveInt
    """Units of a hidden layer."""
    depth: PositiveInt
    """Number of hidden layers, the bottleneck included."""
    negative_slope: Annotated[float, Field(ge=0)]
    """Slope of the leaky ReLU for negative inputs."""
    bottleneck: Bottleneck | None = None
    """The one hidden layer of another size, if any."""

    @check_after(mode="after")
    def _bottleneck_is_a_hidden_layer(self) -> Self:
        if self.bottleneck and self.bottleneck.layer > self.depth:
            raise ValueError(f"must have bottleneck.layer <= depth ({self.depth})")
        return self

    @property
    def hidden(self) -> list[int]:
        """Sizes of the hidden layers, in order."""
        sizes = [self.width] * self.depth
        if self.bottleneck:
            sizes[self.bottleneck.layer - 1] = self.bottleneck.size
        return sizes


class TrainingConfig(Section):
    """The recipe all methods of an experiment share: equal steps and equal samples a step."""

    test_fraction: Annotated[float, Field(gt=0, lt=1)]
    """Share of each class held out for testing, where the data has no official test set."""
    batch_size: PositiveInt
    """Samples a step; the ragged rest of a shuffled epoch is dropped."""
    steps: PositiveInt | None = None
    """Length of training in optimiser steps; give this or `epochs`."""
    epochs: PositiveInt | None = None
    """Length of training in passes over the training data; give this or `steps`."""
    learning_rate: PositiveFloat
    """AdamW's initial learning rate."""
    decay_at: Annotated[list[PositiveInt], AfterValidator(_unique)] = Field(default_factory=list)
    """When the learning rate is divided by ten, in the unit of the length."""
    evaluations: PositiveInt
    """Rows of history.csv: evaluations on clean data, evenly spaced, the last at the end."""

    @check_after(mode="after")
    def _one_length(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("must give either steps or epochs")
        return self


class MethodConfig(Section):
    """What sets one method apart from plain training."""

    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """AdamW's decoupled weight decay."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability of dropping a unit, after every hidden layer."""
    eligible: Annotated[list[NonNegativeInt], AfterValidator(_unique)] = Field(default_factory=list)
    """Where mixing may enter: 0 is the input, k the state after hidden layer k; [] is no mixing."""


class MixupConfig(Section):
    """The knob of every mixing method."""

    alpha: PositiveFloat
    """lam ~ Beta(alpha, alpha)."""


class TrainConfig(Section):
    """How runs are computed."""

    threads: PositiveInt = 1
    """Torch threads of a run; results are the same bytes only for the same number."""


class ExperimentConfig(Section):
    """A data set, a network, a training recipe, and the methods compared on them."""

    data: Name
    """Name of the data set, a file in data/."""
    net: NetConfig
    training: TrainingConfig
    plain: Names
    """Methods that read no mixup.* parameter, so that turning those retrains none of them."""
    mixing: Names
    """Methods that mix."""
    methods: dict[Name, MethodConfig]
    """Settings of every method named in `plain` and `mixing`."""

    @check_after(mode="after")
    def _methods_fit(self) -> Self:
        if both := set(self.plain) & set(self.mixing):
            raise ValueError(f"plain and mixing both name {sorted(both)}")
        for kind, names in (("plain", self.plain), ("mixing", self.mixing)):
            for name in names:
                if name not in self.methods:
                    raise ValueError(
                        f"{kind} names {name!r}, which is not in methods: {', '.join(self.methods)}"
                    )
                eligible = self.methods[name].eligible
                key = f"methods.{name}.eligible"
                if (kind == "mixing") != bool(eligible):
                    rule = "must not be empty" if kind == "mixing" else "must be empty"
                    raise ValueError(f"{key} {rule} for a {kind} method, got {eligible}")
                if max(eligible, default=0) > self.net.depth:
                    raise ValueError(f"{key} must lie within 0..{self.net.depth}, got {eligible}")
        return self

    @property
    def all_methods(self) -> list[str]:
        """Every method compared, plain ones first."""
        return [*self.plain, *self.mixing]


class RunConfig(Section):
    """Everything that decides the bytes of one run, next to the data and the code."""

    experiment: Name
    method: Name
    seed: NonNegativeInt
    data: Name
    net: NetConfig
    training: TrainingConfig
    settings: MethodConfig
    alpha: PositiveFloat | None
    """mixup.alpha for a method that mixes, else None."""
    threads: PositiveInt
    cohort: PositiveInt = 1
    """Runs trained together, as one stacked model; 1 is alone. It changes the last digits."""


class RunKey(NamedTuple):
    """The name of one run."""

    experiment: str
    method: str
    seed: int


def all_runs(seeds: list[int], experiments: dict[str, ExperimentConfig]) -> list[RunKey]:
    """List every run of the study, in the order of params.yaml."""
    return [
        RunKey(name, method, seed)
        for name, experiment in experiments.items()
        for method, seed in product(experiment.all_methods, seeds)
    ]


def read_run_config(key: RunKey, path: Path | str = "params.yaml") -> RunConfig:
    """Read what the run ``key`` needs from params.yaml, and nothing else.

    Raises:
        ParamsError: a section is missing or has a value that cannot be used.
    """
    place = ("experiments", key.experiment)
    settings: MethodConfig = read_section(MethodConfig, *place, "methods", key.method, path=path)
    net: NetConfig = read_section(NetConfig, *place, "net", path=path)
    if max(settings.eligible, default=0) > net.depth:
        raise ParamsError(
            f"experiments.{key.experiment}.methods.{key.method}.eligible must be at most "
            f"net.depth = {net.depth}, got {settings.eligible}"
        )
    return RunConfig(
        experiment=key.experiment,
        method=key.method,
        seed=key.seed,
        data=read_section(Name, *place, "data", path=path),
        net=net,
        training=read_section(TrainingConfig, *place, "training", path=path),
        settings=settings,
        alpha=read_section(MixupConfig, "mixup", path=path).alpha if settings.eligible else None,
        threads=read_section(TrainConfig, "train", path=path).threads,
    )
