"""The data of one run: split as its seed decides, as tensors."""

from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from study.data.dataset import Dataset, split_dataset
from study.errors import StudyError
from study.seeds import Purpose, seed_sequence
from study.training.experiment import RunConfig


@dataclass(frozen=True)
class Split:
    """The data of one run as tensors on its device.

    Inputs are float32, pixels in [0, 1] unless they are standardised; labels are int64.
    """

    train_inputs: Tensor
    train_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor
    validation_inputs: Tensor
    """Empty unless the recipe has a validation_fraction."""
    validation_labels: Tensor


def split_for(config: RunConfig, dataset: Dataset) -> Split:
    """Split ``dataset`` as the run's seed decides, equally for all methods of that seed.

    Raises:
        StudyError: there are too few points for it, or numbers are missing and nothing says what
            they are to be.
    """
    recipe = config.training
    rng = np.random.default_rng(seed_sequence(config.seed, Purpose.SPLIT))
    train, test = split_dataset(dataset, recipe.test_fraction, rng)
    if recipe.disjoint:
        train = rng.permutation(block(dataset, recipe.disjoint, config.seed))
    validation = train[:0]
    if recipe.validation_fraction:
        to_train = dataset.only(train)
        kept, held_out = split_dataset(to_train, recipe.validation_fraction, rng)
        train, validation = train[kept], train[held_out]
    inputs, labels = as_float(dataset), torch.from_numpy(dataset.labels)
    if recipe.standardise:
        inputs = standardised(inputs, inputs[train], torch.from_numpy(dataset.columns))
    elif inputs.isnan().any():
        raise StudyError(
            f"{config.data} lacks numbers: experiments.{config.experiment}.training.standardise "
            "must be true, which puts the training mean there"
        )
    if config.net.is_flat:
        inputs = inputs.flatten(1)
    inputs, labels = inputs.to(config.device), labels.to(config.device)
    pairs = ((inputs[part], labels[part]) for part in (train, test, validation))
    return Split(*chain.from_iterable(pairs))


def block(dataset: Dataset, size: int, seed: int) -> np.ndarray:
    """Choose the training points of a seed, of which no seed of another block has any.

    The training points of the source are shuffled once, always in the same way, and cut into
    blocks; seed s takes block s modulo their number.

    Args:
        dataset: with an official test set.
        size: points of a block.
        seed: of the run.

    Returns:
        (size,) int64 indices.

    Raises:
        StudyError: there is no official test set, or fewer training points than that.
    """
    points = np.flatnonzero(~dataset.official_test)
    if len(points) == len(dataset.labels) or size > len(points):
        raise StudyError(
            f"training.disjoint = {size} needs data with an official test set and as many training "
            f"points at least, and there are {len(points)} of {len(dataset.labels)}"
        )
    order = np.random.default_rng(seed_sequence(0, Purpose.BLOCKS)).permutation(points)
    start = seed % (len(points) // size) * size
    return order[start : start + size]


def as_float(dataset: Dataset) -> Tensor:
    """Give the inputs as (N, ...) float32, pixels in [0, 1]."""
    inputs = torch.from_numpy(dataset.inputs)
    return inputs.float() / (255 if inputs.dtype == torch.uint8 else 1)


def standardised(inputs: Tensor, train: Tensor, columns: Tensor) -> Tensor:
    """Give each column, or each channel of images, mean 0 and standard deviation 1.

    Args:
        inputs: (N, F) or (N, C, H, W); NaN is a missing number, which becomes the mean.
        train: likewise, the training points, which alone decide.
        columns: (F,) as of `Dataset`: columns of categories stay as they are. Or (0,).

    Returns:
        As ``inputs``. A column that does not vary in the training points is 0.
    """
    over = (0, *range(2, train.ndim))
    mean = train.double().nanmean(over, keepdim=True)
    std = (train.double() - mean).square().nanmean(over, keepdim=True).sqrt()
    is_constant = ~(std > 1e-12 * mean.abs())  # also of a column without any number
    scaled = ((inputs - mean) / std.masked_fill(is_constant, torch.inf)).nan_to_num().float()
    return torch.where(columns == 0, scaled, inputs) if len(columns) else scaled
