"""What params.yaml may say of a net, a method, the training and the computing of its runs."""

from itertools import product
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from study.params import Section, shown, unique

Count = Annotated[int, Field(ge=1, le=10**12)]
Code = Annotated[str, Field(pattern=r"^[^:\s]+\.py:[A-Za-z_][A-Za-z0-9_]*$")]
"""A function of one's own: ``my_net.py:build``, the file as seen from the study's folder."""

NEEDS: dict[str, tuple[str, ...]] = {
    "mlp": ("width", "depth"),
    "tabular": ("width", "depth"),
    "cnn": ("width",),
    "resnet18": ("width",),
    "own": ("module",),
}
"""The kinds of nets, and what must be said of each."""
ALSO: dict[str, tuple[str, ...]] = {
    "mlp": ("negative_slope", "bottleneck"),
    "tabular": ("negative_slope", "embedding"),
}
"""What else may be said."""


class Bottleneck(Section):
    """The narrow hidden layer."""

    layer: Count
    """k of the bottleneck: the k-th hidden layer, from 1."""
    size: Count
    """Number of its units."""


class NetConfig(Section):
    """The net: a multi-layer perceptron unless it says otherwise."""

    kind: Literal["mlp", "tabular", "cnn", "resnet18", "own"] = "mlp"
    """`mlp`; `tabular`, an MLP that embeds categories; `cnn` and `resnet18` for images; `own`."""
    width: Annotated[int, Field(ge=0, le=10**12)] = 0
    """Units of a hidden layer; of a net for images, channels of its first layer."""
    depth: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Number of hidden layers, the bottleneck included."""
    negative_slope: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Slope of the leaky ReLU for negative inputs; 0 is a ReLU."""
    bottleneck: Bottleneck | None = None
    """The one hidden layer of another size, if any."""
    embedding: Annotated[int, Field(ge=0, le=10**6)] = 0
    """Units that each category of a table is embedded in; 0 takes as many as its values need."""
    module: Code | None = None
    """One's own net: a function of the shape of an input and the number of logits."""
    init: Literal["torch", "keras"] = "torch"
    """Initial weights: PyTorch's own, or as Keras has them, Glorot uniform with zero biases."""

    @model_validator(mode="before")
    @classmethod
    def _own(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("module") is not None:
            return {"kind": "own"} | value
        return value

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        for key in NEEDS[self.kind]:
            if not getattr(self, key):
                raise ValueError(f"must have {key}, as its kind is {self.kind}")
        may = {"kind", "init", *NEEDS[self.kind], *ALSO.get(self.kind, ())}
        for key, field in type(self).model_fields.items():
            if key not in may and getattr(self, key) != field.default:
                raise ValueError(f"has {key}, which is of no effect in the kind {self.kind}")
        if self.bottleneck and self.bottleneck.layer > self.depth:
            raise ValueError(f"must have bottleneck.layer <= depth ({self.depth})")
        return self

    @property
    def hidden_sizes(self) -> list[int]:
        """Sizes of an MLP's hidden layers, in order; of other nets nothing is known."""
        sizes = [self.width] * self.depth
        if self.bottleneck:
            sizes[self.bottleneck.layer - 1] = self.bottleneck.size
        return sizes

    @property
    def is_flat(self) -> bool:
        """Whether its inputs have no shape but their number."""
        return self.kind in ("mlp", "tabular")

    def check_eligible(self, eligible: list[int | str]) -> str | None:
        """Say what is wrong with eligible layers; names are looked up when the net is built."""
        numbers = [layer for layer in eligible if isinstance(layer, int)]
        if max(numbers, default=0) > self.depth:
            return f"lie within 0..{self.depth}, got {shown(eligible)}"
        return None


def _layer(value: object) -> int | str:
    if isinstance(value, str) and 0 < len(value) < 256:
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("should be the number of a layer, or a name")
    if not 0 <= value <= 10_000:
        raise ValueError(f"should be {'at least 0' if value < 0 else 'at most 10,000'}")
    return value


Layer = Annotated[int | str, PlainValidator(_layer)]
Decay = Annotated[float, Field(ge=0, le=1e6)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Layers = Annotated[list[Layer], AfterValidator(unique)]
# Below, lam is 0 or 1 but for rounding; above, 1/2.
Alpha = Annotated[float, Field(ge=1e-3, le=1e6)]


class Choice(Section):
    """Values to choose from; what is chosen is the combination with the least validation loss."""

    alpha: Annotated[list[Alpha], AfterValidator(unique)] = Field(default_factory=list)
    """For the method's alpha."""
    eligible: list[Layers] = Field(default_factory=list)
    """For the method's eligible layers."""
    weight_decay: Annotated[list[Decay], AfterValidator(unique)] = Field(default_factory=list)
    """For the method's weight decay."""
    dropout: Annotated[list[Dropout], AfterValidator(unique)] = Field(default_factory=list)
    """For the method's dropout."""

    @property
    def combinations(self) -> list[dict[str, Any]]:
        """Every combination of the values, by name; the last name's change fastest."""
        lists = {name: values for name, values in self.model_dump().items() if values}
        return [dict(zip(lists, values, strict=True)) for values in product(*lists.values())]


class MethodConfig(Section):
    """What sets one method apart from plain training."""

    weight_decay: Decay = 0.0
    """AdamW's decoupled weight decay."""
    dropout: Dropout = 0.0
    """Probability of dropping a unit, after every hidden layer but the bottleneck."""
    batch_norm: bool = False
    """Whether every hidden layer is normalised over the batch, before its leaky ReLU."""
    input_noise: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """Standard deviation of Gaussian noise on training inputs, in their units."""
    bottleneck: Count | None = None
    """Units of the bottleneck, where a method has another number than net.bottleneck.size."""
    eligible: Layers = Field(default_factory=list)
    """Where mixing may enter: 0 is the input, k the state after hidden layer k; [] is no mixing. Of
    any net also names and patterns of its layers, and "input"."""
    alpha: Alpha | None = None
    """lam ~ Beta(alpha, alpha), where a method has another alpha than mixup.alpha."""
    mixes: Literal["both", "features", "labels"] = "both"
    """What is mixed, states and targets or one of them alone."""
    stop_gradient: bool = False
    """Whether the layers before the mixed state get no gradient."""
    early_stopping: bool = False
    """Whether the weights are those of the evaluation with the least validation loss."""
    choose: Choice | None = None
    """What is chosen on the validation data of each seed, by training with each combination."""


NO_MIXING = {"alpha": None, "mixes": "both", "stop_gradient": False}
"""What a plain method has where a mixing one says how it mixes."""


Threads = Annotated[int, Field(ge=1, le=256)]


class TrainingConfig(Section):
    """The recipe all methods of an experiment share: equal steps and equal samples a step."""

    disjoint: Count | None = None
    """Training points of a run where no two seeds share any: blocks of the shuffled training data,
    of which there must be enough. The data must have an official test set."""
    standardise: bool = False
    """Whether each column, or channel, gets mean 0 and standard deviation 1 over the training
    points; a missing number then is the mean."""

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
    """The initial learning rate."""
    optimiser: Literal["adamw", "sgd"] = "adamw"
    """AdamW; or SGD, whose weight decay is not decoupled."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Of SGD."""
    schedule: Literal["steps", "cosine"] = "steps"
    """The learning rate: divided by ten at `decay_at`, or a half cosine down to 0."""
    decay_at: Annotated[list[Count], AfterValidator(unique)] = Field(default_factory=list)
    """When the learning rate is divided by ten, in the unit of the length."""
    evaluations: Count
    """Rows of history.csv: evaluations on clean data, evenly spaced, the last at the end."""
    augment: Code | None = None
    """One's own function of a batch of training inputs and a torch.Generator."""

    def n_steps(self, n_train: int) -> int:
        """Count the steps on so many training points; the ragged rest of an epoch makes none."""
        return self.steps or (self.epochs or 0) * (n_train // self.batch_size)

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("must give either steps or epochs")
        length, unit = (self.steps, "steps") if self.steps else (self.epochs, "epochs")
        if late := [at for at in self.decay_at if at > (length or 0)]:
            raise ValueError(f"must have decay_at within its {length} {unit}, got {shown(late)}")
        if self.decay_at and self.schedule != "steps":
            raise ValueError(f"decay_at is of no effect in the schedule {self.schedule}")
        if self.momentum and self.optimiser != "sgd":
            raise ValueError(f"momentum is of no effect in {self.optimiser}")
        if self.steps and self.evaluations > self.steps:
            raise ValueError(f"must have evaluations <= steps ({self.steps})")
        return self


class MixupConfig(Section):
    """The knob of every mixing method."""

    alpha: Alpha
    """lam ~ Beta(alpha, alpha)."""


class ComputeConfig(Section):
    """How runs are computed."""

    threads: Threads = 1
    """Torch threads of a run; results are the same bytes only for the same number."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where runs are trained; results are the same bytes only on the same device."""
