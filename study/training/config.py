"""What params.yaml may say about experiments, methods and training, checked before any work."""

from itertools import product
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field
from pydantic import model_validator as check_after

from study.params import (
    Section,
    did_you_mean,
    shown,
    unique,
)
from study.paths import RunKey

# File names are made of them, which may have 255 characters.
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
Names = Annotated[list[Name], AfterValidator(unique)]
Count = Annotated[int, Field(ge=1, le=10**12)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Seeds = Annotated[list[Seed], Field(min_length=1), AfterValidator(unique)]
Layer = Annotated[int, Field(ge=0, le=10_000)]
# Below, lam is 0 or 1 but for rounding; above, 1/2.
Alpha = Annotated[float, Field(ge=1e-3, le=1e6)]
Threads = Annotated[int, Field(ge=1, le=256)]


class Bottleneck(Section):
    """The narrow hidden layer."""

    layer: Count
    """k of the bottleneck: the k-th hidden layer, from 1."""
    size: Count
    """Number of its units."""


class NetConfig(Section):
    """Shape of the multi-layer perceptron."""

    width: Count
    """Units of a hidden layer."""
    depth: Annotated[int, Field(ge=1, le=10_000)]
    """Number of hidden layers, the bottleneck included."""
    negative_slope: Annotated[float, Field(ge=0, le=1)]
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
    validation_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of each class of the training data that is not trained on, but kept for choosing."""
    batch_size: Count
    """Samples a step; the ragged rest of a shuffled epoch is dropped."""
    steps: Count | None = None
    """Length of training in optimiser steps; give this or `epochs`."""
    epochs: Count | None = None
    """Length of training in passes over the training data; give this or `steps`."""
    learning_rate: Annotated[float, Field(gt=0, le=1e38)]
    """AdamW's initial learning rate."""
    decay_at: Annotated[list[Count], AfterValidator(unique)] = Field(default_factory=list)
    """When the learning rate is divided by ten, in the unit of the length."""
    evaluations: Count
    """Rows of history.csv: evaluations on clean data, evenly spaced, the last at the end."""

    @check_after(mode="after")
    def _one_length(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("must give either steps or epochs")
        length, unit = (self.steps, "steps") if self.steps else (self.epochs, "epochs")
        if late := [at for at in self.decay_at if at > (length or 0)]:
            raise ValueError(f"must have decay_at within its {length} {unit}, got {shown(late)}")
        if self.steps and self.evaluations > self.steps:
            raise ValueError(f"must have evaluations <= steps ({self.steps})")
        return self


class MethodConfig(Section):
    """What sets one method apart from plain training."""

    weight_decay: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """AdamW's decoupled weight decay."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability of dropping a unit, after every hidden layer but the bottleneck."""
    batch_norm: bool = False
    """Whether every hidden layer is normalised over the batch, before its leaky ReLU."""
    input_noise: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """Standard deviation of Gaussian noise on training inputs, in their units."""
    bottleneck: Count | None = None
    """Units of the bottleneck, where a method has another number than net.bottleneck.size."""
    eligible: Annotated[list[Layer], AfterValidator(unique)] = Field(default_factory=list)
    """Where mixing may enter: 0 is the input, k the state after hidden layer k; [] is no mixing."""
    alpha: Alpha | None = None
    """lam ~ Beta(alpha, alpha), where a method has another alpha than mixup.alpha."""
    mixes: Literal["both", "features", "labels"] = "both"
    """What is mixed, states and targets or one of them alone."""
    stop_gradient: bool = False
    """Whether the layers before the mixed state get no gradient."""


NO_MIXING = {"alpha": None, "mixes": "both", "stop_gradient": False}
"""What a plain method has where a mixing one says how it mixes."""


class MixupConfig(Section):
    """The knob of every mixing method."""

    alpha: Alpha
    """lam ~ Beta(alpha, alpha)."""


class ComputeConfig(Section):
    """How runs are computed."""

    threads: Threads = 1
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
    """Methods that mix. An experiment with no method in either list is left out of the study."""
    methods: dict[Name, MethodConfig]
    """Settings of every method named in `plain` and `mixing`."""

    @check_after(mode="after")
    def _methods_fit(self) -> Self:
        if both := set(self.plain) & set(self.mixing):
            raise ValueError(f"plain and mixing both name {shown(sorted(both))}")
        for kind, names in (("plain", self.plain), ("mixing", self.mixing)):
            for name in names:
                if name not in self.methods:
                    nearest = did_you_mean(name, self.methods)
                    raise ValueError(f"{kind} names {name!r}, which is not in methods{nearest}")
                self._method_fits(name, kind)
        return self

    def _method_fits(self, name: str, kind: str) -> None:
        method, key = self.methods[name], f"methods.{name}"
        eligible = f"{key}.eligible must {{}}, got {shown(method.eligible)}"
        if kind == "mixing" and not method.eligible:
            raise ValueError(eligible.format("not be empty for a mixing method"))
        if kind == "plain" and method.eligible:
            raise ValueError(eligible.format("be empty for a plain method"))
        for idle, default in NO_MIXING.items():
            if kind == "plain" and getattr(method, idle) != default:
                raise ValueError(f"{key}.{idle} is of no effect in a plain method")
        if method.bottleneck and not self.net.bottleneck:
            raise ValueError(f"{key}.bottleneck needs a net.bottleneck to be in place of")
        if max(method.eligible, default=0) > self.net.depth:
            raise ValueError(eligible.format(f"lie within 0..{self.net.depth}"))
        if method.weight_decay * self.training.learning_rate > 1:
            raise ValueError(
                f"{key}.weight_decay must be at most 1 / training.learning_rate, "
                f"got {method.weight_decay}"
            )

    def net_of(self, method: str) -> NetConfig:
        """Give the net that a method trains."""
        return net_for(self.net, self.methods[method])

    @property
    def all_methods(self) -> list[str]:
        """Every method compared, plain ones first."""
        return [*self.plain, *self.mixing]


def _those_run(experiments: dict[str, ExperimentConfig]) -> dict[str, ExperimentConfig]:
    return {name: experiment for name, experiment in experiments.items() if experiment.all_methods}


KnownExperiments = Annotated[dict[Name, ExperimentConfig], Field(min_length=1)]
"""All that params.yaml has."""
Experiments = Annotated[KnownExperiments, AfterValidator(_those_run)]
"""Those of which any method is run."""


def net_for(net: NetConfig, settings: MethodConfig) -> NetConfig:
    """Give the net its bottleneck's size, where the method has one of its own."""
    if not (net.bottleneck and settings.bottleneck):
        return net
    bottleneck = net.bottleneck.model_copy(update={"size": settings.bottleneck})
    return net.model_copy(update={"bottleneck": bottleneck})


def all_runs(seeds: list[int], experiments: dict[str, ExperimentConfig]) -> list[RunKey]:
    """List every run of the study, in the order of params.yaml."""
    return [
        RunKey(name, method, seed)
        for name, experiment in experiments.items()
        for method, seed in product(experiment.all_methods, seeds)
    ]
