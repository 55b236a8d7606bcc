"""Checkpoints: what a run needs to continue after an interrupt and end with the same bytes."""

import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.optim import Optimizer

from mixup.mixing.manifold import ManifoldMixup
from study.code import code_version
from study.data.dataset import Dataset
from study.errors import StudyError
from study.paths import part_of
from study.training.experiment import RunConfig

SECONDS = "MIXUP_CHECKPOINT_SECONDS"
RNG = "generator"


@dataclass
class State:
    """All that changes while a run trains; its batches follow from the step."""

    net: nn.Module
    optimiser: Optimizer
    mixer: ManifoldMixup | None
    generator: torch.Generator = field(default_factory=lambda: torch.default_generator)
    """What dropout and noise draw from."""
    step: int = 0
    """Steps taken."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """Rows of history.csv."""
    losses: list[float] = field(default_factory=list)
    """The optimised loss of every step since the last row."""
    floors: list[float] = field(default_factory=list)
    """The least loss that their targets allow; see `Floor`."""
    best: dict[str, Tensor] = field(default_factory=dict)
    """Weights of the evaluation with the least validation loss, where these are kept."""

    def keep_best(self) -> None:
        """Keep the weights if the last evaluation is the best so far."""
        losses = [row["validation_loss"] for row in self.history]
        if losses.index(min(losses)) == len(losses) - 1:
            self.best = {name: tensor.clone() for name, tensor in self.net.state_dict().items()}

    def tensors(self) -> dict[str, Tensor]:
        """Collect what is saved as tensors, by name."""
        moments = self.optimiser.state_dict()["state"]
        return {
            RNG: self.generator.get_state(),
            **{f"net.{name}": tensor for name, tensor in self.net.state_dict().items()},
            **{f"best.{name}": tensor for name, tensor in self.best.items()},
            **{
                f"optimiser.{i}.{name}": tensor
                for i, named in moments.items()
                for name, tensor in named.items()
            },
        }

    def numbers(self) -> dict[str, Any]:
        """Collect what is saved as JSON."""
        return {
            "step": self.step,
            "learning_rates": [group["lr"] for group in self.optimiser.param_groups],
            "mixer": self.mixer.state_dict() if self.mixer else None,
            "history": self.history,
            "losses": self.losses,
            "floors": self.floors,
        }

    def load(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """Restore what `tensors` and `numbers` gave.

        Raises:
            KeyError, TypeError, ValueError, RuntimeError: something is missing or does not fit;
                the state can then be half restored.
        """
        weights = self.net.state_dict()
        self.net.load_state_dict({name: tensors[f"net.{name}"] for name in weights})
        if any(name.startswith("best.") for name in tensors):
            self.best = {name: tensors[f"best.{name}"].clone() for name in weights}
        moments: dict[int, dict[str, Tensor]] = {}
        for i, parameter in enumerate(self.net.parameters()):
            shapes = dict.fromkeys(moment_names(self.optimiser), parameter.shape)
            if "exp_avg" in shapes:
                shapes["step"] = torch.Size()
            # Copies, because those of the file lie anywhere in memory, not on torch's boundaries.
            moments[i] = {name: tensors[f"optimiser.{i}.{name}"].clone() for name in shapes}
            if shapes != {name: tensor.shape for name, tensor in moments[i].items()}:
                raise ValueError(f"optimiser.{i} does not fit {tuple(parameter.shape)}")
        groups = self.optimiser.state_dict()["param_groups"]
        for group, learning_rate in zip(groups, numbers["learning_rates"], strict=True):
            group["lr"] = learning_rate
        self.optimiser.load_state_dict({"state": moments, "param_groups": groups})
        if self.mixer:
            self.mixer.load_state_dict(numbers["mixer"])
        self.step, self.history = numbers["step"], numbers["history"]
        self.losses, self.floors = numbers["losses"], numbers["floors"]
        self.generator.set_state(tensors[RNG])


def moment_names(optimiser: Optimizer) -> list[str]:
    """Name what an optimiser keeps for each parameter, in its shape."""
    if isinstance(optimiser, torch.optim.AdamW):
        return ["exp_avg", "exp_avg_sq"]
    return ["momentum_buffer"] if optimiser.defaults["momentum"] else []


class Checkpoint:
    """The file from which a run continues, made every so many seconds.

    It holds a SHA-256 of the rest, a line of JSON and tensors in the safetensors format. It counts
    for a run of the same parameters, data and code only.

    Args:
        path: the file.
        config: the run.
        dataset: what it trains on.

    Raises:
        StudyError: the environment variable MIXUP_CHECKPOINT_SECONDS is not a number >= 0.
    """

    def __init__(self, path: Path, config: RunConfig, dataset: Dataset) -> None:
        self.path = path
        # Always the same name: whoever is killed often leaves one such file, not many.
        self._temporary = part_of(path)
        self._config, self._dataset = config, dataset
        self._code = code_version()
        self._seconds = checkpoint_seconds()
        self._due = time.monotonic() + self._seconds

    @property
    def is_due(self) -> bool:
        """Whether so many seconds have passed since the last one."""
        return time.monotonic() >= self._due

    @cached_property
    def _identity(self) -> dict[str, str]:
        data = hashlib.sha256()
        for array in vars(self._dataset).values():
            data.update(f"{array.dtype} {array.shape}\n".encode())
            data.update(array.tobytes())
        parameters = json.dumps(self._config.model_dump(), sort_keys=True)
        return {
            "parameters": hashlib.sha256(parameters.encode()).hexdigest(),
            "data": data.hexdigest(),
            "code": self._code,
        }

    def save(self, state: State) -> None:
        """Write the file, whole or not at all; a line on stderr says if that cannot be done."""
        try:
            self._write(state)
        except OSError as error:
            print(f"{self.path} cannot be written: {error.strerror}", file=sys.stderr)
        self._due = time.monotonic() + self._seconds

    def _write(self, state: State) -> None:
        numbers = json.dumps({"of": self._identity, **state.numbers()})
        content = numbers.encode() + b"\n" + save(state.tensors())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._temporary.open("wb") as file:
            file.write(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._temporary, self.path)

    def load(self, state: State) -> bool:
        """Restore ``state`` from the file.

        Returns:
            False, and a line on stderr, if there is a file that cannot be used; the state can then
            be half restored. True if the state is good, be it new.
        """
        try:
            digest, content = self.path.read_bytes().split(b"\n", 1)
            if hashlib.sha256(content).hexdigest().encode() != digest:
                raise ValueError("its checksum is wrong")
            line, tensors = content.split(b"\n", 1)
            numbers = json.loads(line)
            others = [name for name, of in self._identity.items() if numbers["of"][name] != of]
            if others:
                return self._ignore(f"it is of other {' and '.join(others)}")
            state.load(load(tensors), numbers)
        except (FileNotFoundError, NotADirectoryError):
            return True
        except Exception as error:  # whatever a damaged file may cause
            return self._ignore(f"it is damaged ({' '.join(str(error).split())})")
        print(f"{self.path}: continues after step {state.step}", file=sys.stderr)
        return True

    def _ignore(self, reason: str) -> bool:
        print(f"{self.path} is ignored: {reason}; training starts anew", file=sys.stderr)
        return False


def checkpoint_seconds() -> float:
    """Read MIXUP_CHECKPOINT_SECONDS, 60 if it is not set; 0 makes a checkpoint each step.

    Raises:
        StudyError: it is not a number >= 0.
    """
    text = os.environ.get(SECONDS, "60")
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise StudyError(f"{SECONDS} must be a number of seconds >= 0, got {text!r}")
    return seconds
