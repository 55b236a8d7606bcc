"""A data set as the stages exchange it: an NPZ file without pickle, and its split."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from mixup.errors import StudyError
from mixup.files import whole_file


@dataclass(frozen=True)
class Dataset:
    """Points with labels, and what is needed to split them fairly.

    Args:
        inputs: (N, F), float32 coordinates or uint8 pixels.
        labels: (N,) int64 class indices from 0.
        group: (N,) int64; points of one group always fall on the same side of a split.
        official_test: (N,) bool; the test points, where the source itself defines them,
            else all False.
    """

    inputs: np.ndarray
    labels: np.ndarray
    group: np.ndarray
    official_test: np.ndarray

    def __post_init__(self) -> None:
        sizes = {len(getattr(self, field.name)) for field in fields(self)}
        if len(sizes) != 1 or self.inputs.ndim != 2:
            shapes = {field.name: getattr(self, field.name).shape for field in fields(self)}
            raise StudyError(f"a data set needs arrays of one length, got {shapes}")

    @property
    def n_classes(self) -> int:
        """The number of classes, from the largest label."""
        return int(self.labels.max()) + 1


def save_dataset(path: Path | str, dataset: Dataset) -> None:
    """Write ``dataset`` to an NPZ file, whole or not at all; equal data give equal bytes."""
    arrays = {field.name: getattr(dataset, field.name) for field in fields(dataset)}
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_dataset(path: Path | str) -> Dataset:
    """Read an NPZ file that `save_dataset` wrote; never unpickles.

    Raises:
        StudyError: the file is missing, damaged or lacks an array.
    """
    path = Path(path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Dataset(**{field.name: arrays[field.name] for field in fields(Dataset)})
    except FileNotFoundError as error:
        raise StudyError(f"{path} is missing: run `dvc repro` to make it") from error
    except Exception as error:
        raise StudyError(
            f"{path} is damaged ({error}): delete it and run `dvc repro` to make it again"
        ) from error


def split_dataset(
    dataset: Dataset, test_fraction: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Split into training and test indices, stratified by class, groups kept together.

    A source with an official test set keeps it, whatever ``test_fraction`` says; the training
    order is shuffled either way.

    Args:
        dataset: N points.
        test_fraction: share of each class that becomes test data, in (0, 1).
        rng: decides the split.

    Returns:
        Indices of the training points and of the test points, each (n,) int64, disjoint.
    """
    if dataset.official_test.any():
        train = rng.permutation(np.flatnonzero(~dataset.official_test))
        return train, np.flatnonzero(dataset.official_test)
    groups, first = np.unique(dataset.group, return_index=True)
    # Twins of opposite classes share a group, so a stratum is made of whole groups, by the
    # class of their first point.
    strata = (groups[dataset.labels[first] == label] for label in range(dataset.n_classes))
    test_groups = [rng.permutation(s)[: round(len(s) * test_fraction)] for s in strata]
    is_test = np.isin(dataset.group, np.concatenate(test_groups))
    return rng.permutation(np.flatnonzero(~is_test)), np.flatnonzero(is_test)
