"""A trained run, as later stages read it from its folder."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from study.data.dataset import Dataset, load_dataset
from study.errors import FileError, StudyError
from study.files import check_sum
from study.params import check
from study.paths import CONFIG_FILE, WEIGHTS, data_file
from study.training.config import Bottleneck
from study.training.experiment import RunConfig
from study.training.net import build_mlp, build_net, predict
from study.training.split import Split, split_for

T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """A trained run, as read from its folder."""

    folder: Path
    config: RunConfig
    net: nn.Module
    multi_label: bool = False

    def split(self, dataset: Dataset) -> Split:
        """Split ``dataset`` as this run did."""
        return split_for(self.config, dataset)

    def probabilities(self, inputs: Tensor | NDArray[np.float32]) -> NDArray[np.float64]:
        """Predict (N, C) class probabilities for (N, ...) inputs, as `predict` does."""
        return predict(self.net, torch.as_tensor(inputs), multi_label=self.multi_label)

    @torch.no_grad()
    def states(self, inputs: Tensor | NDArray[np.float32], k: int) -> NDArray[np.float32]:
        """Compute the (N, D) state of an MLP after hidden layer k, in eval mode; 0 is the input."""
        states: NDArray[np.float32] = self.net(torch.as_tensor(inputs), end=k).numpy()
        return states

    @torch.no_grad()
    def logits(self, states: NDArray[np.floating], k: int) -> NDArray[np.float64]:
        """Compute the (N, C) logits of an MLP from (N, D) states after hidden layer k."""
        inputs = torch.from_numpy(states.astype(np.float32))
        logits: NDArray[np.float64] = self.net(inputs, start=k).double().numpy()
        return logits

    @property
    def bottleneck(self) -> Bottleneck:
        """The bottleneck of its net.

        Raises:
            StudyError: the net has none.
        """
        if self.config.net.bottleneck is None:
            raise StudyError(f"{self.folder} has a net without a bottleneck")
        return self.config.net.bottleneck


def load_run(folder: Path, dataset: Dataset | None = None) -> Run:
    """Read a run's configuration and net.

    Args:
        folder: the run's.
        dataset: what it was trained on, which the nets that are no `MLP` take their shape from; if
            it is None, it is read where it is needed.

    Raises:
        StudyError: the folder is missing or a file in it is damaged.

    Randomness: seeds torch's global generator, for initial weights that those of the file replace.
    """
    config: RunConfig = _read(folder / CONFIG_FILE, lambda path: check(RunConfig, _read_json(path)))
    # What is measured of a run is measured here, wherever it was trained.
    config = config.model_copy(update={"device": "cpu"})
    # The order of sums, and so the last bits of a result, depends on the number of threads.
    torch.set_num_threads(config.threads)
    if config.net.kind != "mlp" and dataset is None:
        dataset = load_dataset(data_file(config.data))
    net = _read(folder / WEIGHTS, lambda path: _read_net(path, config, dataset))
    return Run(folder, config, net.eval(), dataset is not None and dataset.multi_label)


def _read_net(path: Path, config: RunConfig, dataset: Dataset | None) -> nn.Module:
    weights = load_file(path)
    net = (
        build_net(config, dataset)
        if dataset and config.net.kind != "mlp"
        else _mlp(weights, config)
    )
    if not all(weight.isfinite().all() for weight in weights.values()):
        raise ValueError("it holds NaN or infinity")
    net.load_state_dict(weights)
    return net


def _mlp(weights: dict[str, Tensor], config: RunConfig) -> nn.Module:
    sizes = [len(weights[f"hidden.{i}.0.bias"]) for i in range(config.net.depth)]
    if sizes != config.net.hidden_sizes:
        raise ValueError(
            f"its hidden layers have {sizes} units, config.json {config.net.hidden_sizes}"
        )
    n_features = weights["hidden.0.0.weight"].shape[1]
    return build_mlp(config, n_features, len(weights["classifier.bias"]))


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


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
