"""A trained run: its folder, its net, and what later stages ask of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from safetensors.torch import load_file
from torch import Tensor

from mixup.models.mlp import MLP
from mixup.study.data.dataset import Dataset, split_dataset
from mixup.study.errors import FileError
from mixup.study.files import check_sum
from mixup.study.params import check
from mixup.study.training.config import RunConfig

Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
T = TypeVar("T")


class Purpose(IntEnum):
    """What a generator of a run is for; each purpose has a stream of its own.

    Methods are paired by seed: the split, the initial weights and the batches of a seed are the
    same whatever the method draws for mixing or dropout.
    """

    SPLIT = 0
    WEIGHTS = 1
    BATCHES = 2
    MIXING = 3
    DROPOUT = 4


def seed_sequence(seed: int, purpose: Purpose) -> np.random.SeedSequence:
    """Derive the seed of one purpose's generator from the run's seed."""
    return np.random.SeedSequence([seed, purpose])


def seed_torch(seed: int, purpose: Purpose) -> None:
    """Seed torch's global generator, which initial weights and dropout draw from."""
    torch.manual_seed(int(seed_sequence(seed, purpose).generate_state(1, np.uint64)[0] >> 1))


@dataclass(frozen=True)
class Split:
    """The data of one run as tensors: float32 inputs (pixels in [0, 1]) and int64 labels."""

    train_inputs: Tensor
    train_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor
    validation_inputs: Tensor
    """Empty unless the recipe has a validation_fraction."""
    validation_labels: Tensor


def split_for(config: RunConfig, dataset: Dataset) -> Split:
    """Split ``dataset`` as the run's seed decides, equally for all methods of that seed."""
    rng = np.random.default_rng(seed_sequence(config.seed, Purpose.SPLIT))
    train, test = split_dataset(dataset, config.training.test_fraction, rng)
    validation = train[:0]
    if config.training.validation_fraction:
        to_train = dataset.only(train)
        kept, held_out = split_dataset(to_train, config.training.validation_fraction, rng)
        train, validation = train[kept], train[held_out]
    inputs, labels = torch.from_numpy(dataset.inputs), torch.from_numpy(dataset.labels)
    scale = 255 if inputs.dtype == torch.uint8 else 1
    pairs = ((inputs[part].float() / scale, labels[part]) for part in (train, test, validation))
    return Split(*chain.from_iterable(pairs))


def build_net(config: RunConfig, n_features: int, n_classes: int) -> MLP:
    """Build the run's net with the initial weights that its seed decides.

    Two classes are told apart by a single logit.
    """
    seed_torch(config.seed, Purpose.WEIGHTS)
    settings, net = config.settings, config.net
    narrow = net.bottleneck.layer if net.bottleneck else None
    return MLP(
        n_features,
        net.hidden,
        1 if n_classes == 2 else n_classes,
        negative_slope=net.negative_slope,
        dropout=[0.0 if k == narrow else settings.dropout for k in range(1, net.depth + 1)],
        batch_norm=settings.batch_norm,
        input_noise=settings.input_noise,
    )


@torch.no_grad()
def predict(net: MLP, inputs: Tensor, batch_size: int = 10_000) -> NDArray[np.float64]:
    """Predict class probabilities in eval mode.

    Args:
        net: a net with one logit (two classes) or C logits.
        inputs: (N, F) float32.
        batch_size: samples of one forward pass, a bound on memory.

    Returns:
        (N, C) probabilities in float64; two columns for a net with one logit, each computed
        from the logit so that neither loses digits to the other.
    """
    net.eval()
    logits = torch.cat([net(part) for part in torch.split(inputs, batch_size)]).double()
    if logits.shape[1] == 1:
        return torch.sigmoid(torch.cat([-logits, logits], dim=1)).numpy()
    return logits.softmax(1).numpy()


@dataclass(frozen=True)
class Run:
    """A trained run, as read from its folder."""

    folder: Path
    config: RunConfig
    net: MLP

    def split(self, dataset: Dataset) -> Split:
        """Split ``dataset`` as this run did."""
        return split_for(self.config, dataset)

    def probabilities(self, inputs: Tensor) -> NDArray[np.float64]:
        """Predict (N, C) class probabilities for (N, F) inputs."""
        return predict(self.net, inputs)

    @torch.no_grad()
    def states(self, inputs: Tensor, k: int) -> NDArray[np.float32]:
        """Compute the (N, D) state after hidden layer k, in eval mode; k = 0 is the input."""
        states: NDArray[np.float32] = self.net(inputs, end=k).numpy()
        return states


def load_run(folder: Path) -> Run:
    """Read a run's configuration and net.

    Raises:
        StudyError: the folder is missing or a file in it is damaged.
    """
    config: RunConfig = _read(
        folder / "config.json", lambda path: check(RunConfig, _read_json(path))
    )
    # The order of sums, and so the last bits of a result, depends on the number of threads.
    torch.set_num_threads(config.threads)
    net = _read(folder / "model.safetensors", lambda path: _read_net(path, config))
    return Run(folder, config, net.eval())


def _read_net(path: Path, config: RunConfig) -> MLP:
    weights = load_file(path)
    sizes = [len(weights[f"hidden.{i}.0.bias"]) for i in range(config.net.depth)]
    if sizes != config.net.hidden:
        raise ValueError(f"its hidden layers have {sizes} units, config.json {config.net.hidden}")
    if not all(weight.isfinite().all() for weight in weights.values()):
        raise ValueError("it holds NaN or infinity")
    n_features = weights["hidden.0.0.weight"].shape[1]
    net = build_net(config, n_features, max(2, len(weights["classifier.bias"])))
    net.load_state_dict(weights)
    return net


def read_metrics(folder: Path) -> dict[str, float]:
    """Read a run's metrics.json.

    Raises:
        StudyError: the file is missing or damaged.
    """
    return _read(folder / "metrics.json", _read_numbers)


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _read_numbers(path: Path) -> dict[str, float]:
    content: dict[str, float] = check(dict[str, Finite], _read_json(path))
    return content


def _read(path: Path, read: Callable[[Path], T]) -> T:
    try:
        content = read(path)
        # Last, because what is wrong in a file says more than that something is.
        check_sum(path)
        return content
    except FileError:
        raise
    except FileNotFoundError as error:
        raise FileError(path) from error
    except (IsADirectoryError, NotADirectoryError, PermissionError):
        raise
    except Exception as error:  # whatever a damaged file may cause
        raise FileError(path, error) from error
