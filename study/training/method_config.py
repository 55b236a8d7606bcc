"""What params.yaml may say about one method: what sets it apart from plain training."""

from itertools import product
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator

from study.params import Section, unique
from study.training.net_config import Count


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
