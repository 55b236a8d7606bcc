"""What a study of one's own data starts with, by what the data are; all of it can be turned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from study.data.dataset import Dataset
from study.data.own import Description
from study.errors import StudyError

Layers = list[int] | list[str]
NETS: dict[str, dict[str, Any]] = {
    "mlp": {"kind": "mlp", "width": 64, "depth": 2},
    "tabular": {"kind": "tabular", "width": 64, "depth": 2},
    "cnn": {"kind": "cnn", "width": 16},
    "resnet18": {"kind": "resnet18", "width": 16},
}
"""The nets that are built in, as params.yaml has them."""
HIDDEN: dict[str, Layers] = {
    "mlp": [1, 2],
    "tabular": [1, 2],
    "cnn": ["blocks.0", "blocks.1"],
    "resnet18": ["layer1", "layer2"],
}
"""Where manifold mixup mixes besides the input."""
STEPS = {"mlp": 1000, "tabular": 1000, "cnn": 500, "resnet18": 500, "own": 500}
"""About so many steps let a study of a few thousand samples end within minutes on two cores."""
SMALLEST_IMAGE = 4
"""Pixels a side, of the small convolutional net."""
FEWEST_EPOCHS, MOST_EPOCHS = 5, 200
LARGE = 3.0
"""From this ratio of the largest class to the smallest on, accuracy is the mean over classes."""
SHARE_TRAINED = 0.64
"""Of the data, when a fifth is for testing and a fifth of the rest for choosing."""


@dataclass(frozen=True)
class StartingValues:
    """The values of params.yaml and claims.yaml that depend on the data."""

    net: dict[str, Any]
    input: Layers
    """Where input mixup mixes."""
    manifold: Layers
    """Where manifold mixup mixes."""
    choices: list[Layers]
    """What the method that chooses its layers chooses from."""
    alphas: list[float]
    """Likewise of alpha."""
    batch_size: int
    epochs: int
    evaluations: int
    standardise: bool
    official: bool
    """Whether the data have a test set of their own."""
    accuracy: str
    """The measure of accuracy that the questions are about."""


def starting_values(
    dataset: Dataset, about: Description, net: str | None = None, hidden: Layers | None = None
) -> StartingValues:
    """Choose the values.

    Args:
        dataset: the data.
        about: what they are.
        net: a kind of net, FILE.py:FUNCTION of one's own, or None to go by the data.
        hidden: of a net of one's own, where manifold mixup mixes besides the input.

    Raises:
        StudyError: such data do not go into the net.
    """
    kind = net or _kind_for(dataset)
    is_own = kind not in NETS
    is_image = dataset.inputs.ndim == 4
    if not is_own and is_image < (kind in ("cnn", "resnet18")):
        raise StudyError(f"the net {kind} needs images, and {about.source} is a table")
    if kind == "cnn" and min(about.input_shape[1:]) < SMALLEST_IMAGE:
        raise StudyError(
            f"the net cnn needs {SMALLEST_IMAGE} pixels a side at least, and the images of "
            f"{about.source} are of {about.input_shape[1]} x {about.input_shape[2]}: name another "
            "net with --net, such as mlp or resnet18"
        )
    first: Layers = [0] if kind in ("mlp", "tabular") else ["input"]
    inner = (hidden or []) if is_own else HIDDEN[kind]
    manifold = [*first, *inner]
    n_train = len(dataset.labels) - about.n_test
    n_train = round(n_train * (0.8 if about.n_test else SHARE_TRAINED))
    batch_size = max(2, min(_batch_size(n_train), n_train // 4))
    steps = STEPS["own" if is_own else kind]
    epochs = max(FEWEST_EPOCHS, min(MOST_EPOCHS, round(steps * batch_size / n_train)))
    choices = [first, manifold, inner] if inner else [first]
    return StartingValues(
        net={"module": kind} if is_own else NETS[kind],
        input=first,
        manifold=manifold,
        choices=choices,
        alphas=[0.2, 1.0] if is_image or is_own else [0.2, 1.0, 2.0],
        batch_size=batch_size,
        epochs=epochs,
        evaluations=min(20, epochs),
        standardise=not is_image or dataset.inputs.dtype != "uint8",
        official=about.n_test > 0,
        accuracy="test_balanced_accuracy" if about.imbalance >= LARGE else "test_accuracy",
    )


def hidden_layers(net: nn.Module) -> list[str]:
    """Name the parts of a net of one's own, all but the last, which gives the logits.

    They are its direct children or, if it has one alone, those of that one.
    """
    parts = [name for name, _ in net.named_children()]
    if len(parts) == 1:
        inner = [name for name, _ in net.get_submodule(parts[0]).named_children()]
        parts = [f"{parts[0]}.{name}" for name in inner]
    return parts[:-1]


def _kind_for(dataset: Dataset) -> str:
    if dataset.inputs.ndim == 4:
        return "cnn"
    return "tabular" if dataset.columns.any() else "mlp"


def _batch_size(n_train: int) -> int:
    return next(
        size for size, below in ((32, 2_000), (64, 20_000), (128, 10**12)) if n_train < below
    )
