"""NPZ files of one's own, sound and unsound."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from study.data.own import read_own
from study.data.own_config import OwnDataConfig
from study.errors import StudyError

N = 12
LABELS = np.array([4, 7, 9] * 4)
TABLE = np.arange(2.0 * N).reshape(N, 2)
IMAGES = np.zeros((N, 3, 4, 5), dtype=np.uint8)


def read(tmp_path: Path, **arrays: np.ndarray) -> Any:
    np.savez(tmp_path / "my.npz", **({"inputs": TABLE, "labels": LABELS} | arrays))
    return read_own(OwnDataConfig(path=str(tmp_path / "my.npz"), smallest_class=3))


def test_a_table(tmp_path: Path) -> None:
    inputs = TABLE.copy()
    inputs[3, 1] = np.nan
    dataset, description = read(tmp_path, inputs=inputs, group=np.arange(N) * 3 // 2 * 100)
    np.testing.assert_array_equal(dataset.inputs, inputs.astype(np.float32))
    assert dataset.labels.tolist() == [0, 1, 2] * 4
    assert description.class_names == ["4", "7", "9"]
    assert dataset.columns.tolist() == [0, 0]
    assert description.missing == {"feature 1": 1}
    assert description.n_groups == N


@pytest.mark.parametrize("kind", [np.uint8, np.float64])
def test_images(tmp_path: Path, kind: type) -> None:
    dataset, description = read(tmp_path, inputs=IMAGES.astype(kind))
    assert dataset.inputs.dtype == (np.uint8 if kind is np.uint8 else np.float32)
    assert description.input_shape == [3, 4, 5]
    assert dataset.columns.shape == (0,)


def test_many_labels(tmp_path: Path) -> None:
    labels = np.array([[0, 1], [1, 1], [1, 0]] * 4)
    dataset, description = read(tmp_path, labels=labels)
    np.testing.assert_array_equal(dataset.labels, labels)
    assert description.counts == {
        "label 0 = 0": 4,
        "label 0 = 1": 8,
        "label 1 = 0": 4,
        "label 1 = 1": 8,
    }


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"inputs": TABLE[:, 0]}, r"inputs has the shape \(12,\), and must be"),
        ({"inputs": TABLE[:, :0]}, r"inputs has the shape \(12, 0\)"),
        ({"inputs": TABLE[:-1]}, "inputs, labels and group are of 11, 12 and 12"),
        ({"inputs": TABLE + np.inf}, r"cannot be used, .*: inputs\.npy holds infinity"),
        ({"inputs": (TABLE + 1) * 1e300}, r"inputs\[0, 0\] is larger than float32"),
        ({"inputs": IMAGES.transpose(0, 2, 3, 1)}, r"inputs\.transpose\(0, 3, 1, 2\)"),
        ({"inputs": IMAGES + 7.5}, "as uint8, or as floats in"),
        ({"inputs": IMAGES + np.nan}, r"inputs\[0, 0, 0, 0\] is NaN"),
        ({"inputs": TABLE.astype(str)}, r"inputs\.npy has the type <U\d+, which is not read"),
        ({"inputs": TABLE * 0}, "inputs are the same for all samples"),
        ({"inputs": TABLE.astype(object)}, r"arrays of numbers: inputs\.npy has the type object"),
        ({"labels": LABELS.astype(object)}, r"arrays of numbers: labels\.npy has the type object"),
        ({"labels": LABELS[0]}, r"labels must be \(N,\) or \(N, L\)"),
        ({"labels": np.eye(3)[LABELS % 3]}, "each sample has just one of the labels"),
        ({"labels": LABELS + 0.5}, r"labels\[0\] is no whole number.*cut a quantity"),
        ({"labels": np.full(N, np.nan)}, r"labels\.npy holds NaN"),
        ({"labels": LABELS * 0}, "the target is '0' in all of the 12 rows"),
        ({"labels": np.eye(N) * 2}, r"labels\[0, 0\] is neither 0 nor 1"),
        ({"labels": LABELS[:, None]}, r"the shape \(12, 1\): save labels\[:, 0\]"),
        ({"labels": LABELS[:, None, None]}, r"labels must be \(N,\) or \(N, L\)"),
        ({"labels": np.arange(N)}, "class 0 has 1 sample, and needs 3"),
        ({"group": LABELS * 2}, "group is labels again"),
        ({"group": TABLE[:, 0]}, "group .* whole numbers, got .* of float64"),
    ],
)
def test_arrays_that_cannot_be_used(
    tmp_path: Path, arrays: dict[str, np.ndarray], said: str
) -> None:
    with pytest.raises(StudyError, match=rf"my\.npz: .*{said}") as error:
        read(tmp_path, **arrays)
    assert "dvc repro" not in str(error.value)


def test_an_array_that_is_not_there(tmp_path: Path) -> None:
    np.savez(tmp_path / "my.npz", inputs=TABLE)
    with pytest.raises(StudyError, match=r"my\.npz: cannot be used, .*: it has no array labels"):
        read_own(OwnDataConfig(path=str(tmp_path / "my.npz")))
