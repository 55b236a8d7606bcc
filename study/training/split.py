"""The data of one run: split as its seed decides, as tensors."""

from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from study.data.dataset import Dataset, split_dataset
from study.training.run_config import RunConfig
from study.training.seeding import Purpose, seed_sequence


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
