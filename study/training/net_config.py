"""What params.yaml may say about an experiment's net."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field
from pydantic import model_validator as check_model

from study.params import Section, shown

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

    @check_model(mode="before")
    @classmethod
    def _own(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("module") is not None:
            return {"kind": "own"} | value
        return value

    @check_model(mode="after")
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
    def hidden(self) -> list[int]:
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
