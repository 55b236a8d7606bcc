"""Where randomness comes from: one generator a purpose, derived from a run's seed."""

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
from study.data.dataset import Dataset, split_dataset
from study.errors import FileError
from study.files import check_sum
from study.params import check
from study.training.config import RunConfig


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
