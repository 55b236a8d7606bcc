"""A data set as the stages exchange it: an NPZ file without pickle, and its split."""

from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from study.data.npz import read_npz
from study.errors import FileError, StudyError
from study.files import whole_file

TYPES = ("int64", "int64", "bool", "int64")
DIMENSIONS = [[n, labels, 1, 1, 1] for n in (2, 4) for labels in (1, 2)]


@dataclass(frozen=True)
class Dataset:
    """Points with labels, and what is needed to split them fairly.

    Args:
        inputs: (N, F) or images (N, C, H, W): float32 numbers, of which NaN is a missing one, or
            uint8 pixels.
        labels: (N,) int64 class indices from 0; or (N, L) int64 of 0 and 1, where a point can have
            any of L labels.
        group: (N,) int64; points of one group always fall on the same side of a split.
        official_test: (N,) bool; the test points, where the source itself defines them,
            else all False.
        columns: (F,) int64, what the columns of a table are: 0 is a number, k >= 1 one of the
            one-hot columns of category k. Empty where all are numbers.
    """

    inputs: np.ndarray
    labels: np.ndarray
    group: np.ndarray
    official_test: np.ndarray
    columns: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        shapes = {name: array.shape for name, array in vars(self).items()}
        dimensions = [len(shape) for shape in shapes.values()]
        one_length = len({shape[0] for shape in list(shapes.values())[:-1]}) == 1
        if not one_length or dimensions not in DIMENSIONS:
            raise StudyError(f"a data set needs arrays of one length, got {shapes}")
        if shapes["columns"] not in ((0,), shapes["inputs"][1:]):
            raise StudyError(f"a data set needs columns for each of its inputs, got {shapes}")
        types = tuple(str(array.dtype) for array in vars(self).values())
        if types[0] not in ("float32", "uint8") or types[1:] != TYPES:
            raise StudyError(
                f"a data set needs float32 or uint8, {', '.join(TYPES)}, got {', '.join(types)}"
            )
        if self.inputs.size == 0 or np.isinf(self.inputs).any():
            raise StudyError("a data set needs inputs that are not infinite, and at least one")
        if self.multi_label and (self.labels.min() < 0 or self.labels.max() > 1):
            raise StudyError("the labels of many for a point must be 0 and 1")
        enough = self.multi_label or 2 <= self.n_classes <= max(2, len(self.labels))
        if self.labels.min() < 0 or not enough:
            raise StudyError(
                "labels must be class indices from 0, of two classes at least, "
                f"got {self.labels.min()}..{self.labels.max()}"
            )

    def only(self, indices: np.ndarray) -> "Dataset":
        """Choose the points at (n,) ``indices``, which are no official test points any more."""
        return Dataset(
            self.inputs[indices],
            self.labels[indices],
            self.group[indices],
            np.zeros(len(indices), dtype=bool),
            self.columns,
        )

    @property
    def in_a_plane(self) -> bool:
        """Whether the points lie in a plane and have two classes, so that maps can be drawn."""
        return self.inputs.shape[1:] == (2,) and not self.multi_label and self.n_classes == 2

    @property
    def multi_label(self) -> bool:
        """Whether a point can have any number of labels."""
        return self.labels.ndim == 2

    @property
    def n_classes(self) -> int:
        """The number of classes, from the largest label; of labels, where a point has many."""
        return self.labels.shape[1] if self.multi_label else int(self.labels.max()) + 1


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
    arrays = read_npz(path, with_missing=("inputs",))
    chosen = {field.name: arrays[field.name] for field in fields(Dataset)}
    try:
        return Dataset(**chosen)
    except StudyError as error:
        raise FileError(path, error) from error


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

    Raises:
        StudyError: there are no training points, or no test points.
    """
    train, test = _split(dataset, test_fraction, rng)
    if not len(train) or not len(test):
        raise StudyError(
            f"with training.test_fraction = {test_fraction} the {len(dataset.labels)} points give "
            f"{len(train)} to train on and {len(test)} to test on"
        )
    return train, test


def _split(
    dataset: Dataset, test_fraction: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    if dataset.official_test.any():
        train = rng.permutation(np.flatnonzero(~dataset.official_test))
        return train, np.flatnonzero(dataset.official_test)
    groups, first = np.unique(dataset.group, return_index=True)
    # Twins of opposite classes share a group, so a stratum is made of whole groups, by the
    # label or labels of their first point.
    kinds = np.unique(dataset.labels[first], axis=0, return_inverse=True)[1].reshape(-1)
    strata = (groups[kinds == kind] for kind in range(kinds.max() + 1))
    test_groups = [rng.permutation(s)[: round(len(s) * test_fraction)] for s in strata]
    is_test = np.isin(dataset.group, np.concatenate(test_groups))
    return rng.permutation(np.flatnonzero(~is_test)), np.flatnonzero(is_test)
