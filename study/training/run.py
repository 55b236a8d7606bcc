"""A trained run, as later stages read it from its folder."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from safetensors.torch import load_file
from torch import Tensor

from mixup.models.mlp import MLP
from study.data.dataset import Dataset
from study.errors import FileError
from study.files import check_sum
from study.params import check
from study.training.net import build_mlp, predict
from study.training.run_config import RunConfig
from study.training.split import Split, split_for

Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
T = TypeVar("T")


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
    # What is measured of a run is measured here, wherever it was trained.
    config = config.model_copy(update={"device": "cpu"})
    # The order of sums, and so the last bits of a result, depends on the number of threads.
    torch.set_num_threads(config.threads)
    net = _read(folder / "model.safetensors", lambda path: _read_net(path, config))
    return Run(folder, config, net.eval())


def _read_net(path: Path, config: RunConfig) -> MLP:
    if config.net.kind != "mlp":
        raise ValueError(f"only an mlp is read from its run, and this net is {config.net.kind}")
    weights = load_file(path)
    sizes = [len(weights[f"hidden.{i}.0.bias"]) for i in range(config.net.depth)]
    if sizes != config.net.hidden:
        raise ValueError(f"its hidden layers have {sizes} units, config.json {config.net.hidden}")
    if not all(weight.isfinite().all() for weight in weights.values()):
        raise ValueError("it holds NaN or infinity")
    n_features = weights["hidden.0.0.weight"].shape[1]
    net = build_mlp(config, n_features, len(weights["classifier.bias"]))
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
