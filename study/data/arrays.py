"""Read an NPZ file of one's own: ``inputs``, ``labels`` and, where it matters, ``group``."""

from pathlib import Path

import numpy as np
import pandas as pd

from study.data.columns import one_to_one
from study.data.dataset import Dataset
from study.data.encoded import Encoded
from study.data.labels import number_classes
from study.data.npz import read_npz
from study.errors import FileError, StudyError

DIMENSIONS = {2: "(N, F) numbers", 4: "(N, C, H, W) pixels"}
CHANNELS = (1, 3)


def read_arrays(path: Path) -> Encoded:
    """Read inputs and labels as arrays.

    ``inputs`` is (N, F) numbers, where NaN is a missing one, or (N, C, H, W) pixels, as uint8 or as
    floats in [0, 1]; ``labels`` is (N,) whole numbers, or (N, L) of 0 and 1; ``group`` (N,) whole
    numbers.

    Raises:
        StudyError: an array is missing, or is not as above.
    """
    try:
        arrays = read_npz(path, with_missing=["inputs"])
        inputs, labels = arrays["inputs"], arrays["labels"]
    except FileError as error:
        raise StudyError(
            f"cannot be used, as it needs inputs and labels as arrays of numbers: {error.reason}"
        ) from error
    group = arrays.get("group", np.arange(labels.shape[0] if labels.ndim else 0))
    _check(inputs, labels, group)
    if inputs.dtype != np.uint8:
        with np.errstate(over="ignore"):
            inputs = inputs.astype(np.float32)
    if np.isinf(inputs).any():
        raise StudyError(f"{_first('inputs', np.isinf(inputs))} is larger than float32 holds")
    names = [f"label {index}" for index in range(labels.shape[-1])]
    if labels.ndim == 1:
        labels, names = number_classes(labels)
    is_table = inputs.ndim == 2
    missing = np.isnan(inputs).sum(axis=0) if is_table else np.zeros(0, dtype=np.int64)
    return Encoded(
        dataset=Dataset(
            inputs=inputs,
            labels=labels.astype(np.int64),
            group=np.unique(group, return_inverse=True)[1].astype(np.int64),
            official_test=np.zeros(len(labels), dtype=bool),
            columns=np.zeros(inputs.shape[1] if is_table else 0, dtype=np.int64),
        ),
        class_names=names,
        feature_names=[f"feature {index}" for index in range(inputs.shape[1])] if is_table else [],
        missing={f"feature {index}": int(n) for index, n in enumerate(missing) if n},
    )


def _check(inputs: np.ndarray, labels: np.ndarray, group: np.ndarray) -> None:
    if inputs.ndim not in DIMENSIONS or not inputs.size:
        raise StudyError(
            f"inputs has the shape {inputs.shape}, and must be {' or '.join(DIMENSIONS.values())}"
        )
    if inputs.ndim == 2 and (inputs == inputs[0]).all():
        raise StudyError("inputs are the same for all samples: nothing tells them apart")
    if inputs.ndim == 4 and inputs.shape[1] not in CHANNELS:
        raise StudyError(
            f"inputs has the shape {inputs.shape}, and images need 1 or 3 channels, before height "
            "and width: inputs.transpose(0, 3, 1, 2) if they come last"
        )
    if inputs.ndim == 4 and np.isnan(inputs).any():
        raise StudyError(f"{_first('inputs', np.isnan(inputs))} is NaN: pixels cannot be missing")
    if inputs.ndim == 4 and inputs.dtype != np.uint8 and (inputs.min() < 0 or inputs.max() > 1):
        raise StudyError(
            f"inputs are pixels of {inputs.dtype} in {inputs.min():g}..{inputs.max():g}: save them "
            "as uint8, or as floats in [0, 1]"
        )
    if labels.ndim == 2 and labels.shape[1] == 1:
        raise StudyError(f"labels has the shape {labels.shape}: save labels[:, 0], one class a row")
    if labels.ndim not in (1, 2) or group.ndim != 1 or group.dtype.kind not in "iu":
        raise StudyError(
            f"labels must be (N,) or (N, L) and group (N,) whole numbers, got {labels.shape} and "
            f"{group.shape} of {group.dtype}"
        )
    if not len(inputs) == len(labels) == len(group):
        raise StudyError(
            f"inputs, labels and group are of {len(inputs):,}, {len(labels):,} and {len(group):,} "
            "samples"
        )
    if (labels % 1 != 0).any():
        raise StudyError(
            f"{_first('labels', labels % 1 != 0)} is no whole number: this study compares "
            "classifiers only, so cut a quantity into classes (low, middle, high)"
        )
    if labels.ndim == 2 and not np.isin(labels, (0, 1)).all():
        raise StudyError(f"{_first('labels', ~np.isin(labels, (0, 1)))} is neither 0 nor 1")
    if labels.ndim == 1 and one_to_one(pd.Series(group), pd.Series(labels)):
        raise StudyError("group is labels again, so no class could be on both sides of a split")


def _first(name: str, where: np.ndarray) -> str:
    return f"{name}[{', '.join(map(str, np.argwhere(where)[0]))}]"
