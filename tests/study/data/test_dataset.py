"""The data file and the split."""

from pathlib import Path

import numpy as np
import pytest

from study.data.dataset import Dataset, load_dataset, save_dataset, split_dataset
from study.errors import StudyError


def dataset(n: int = 100, n_classes: int = 4, **changes: np.ndarray) -> Dataset:
    arrays = {
        "inputs": np.arange(2 * n, dtype=np.float32).reshape(n, 2),
        "labels": np.arange(n) % n_classes,
        "group": np.arange(n),
        "official_test": np.zeros(n, dtype=bool),
    }
    return Dataset(**(arrays | changes))


def test_file_gives_back_the_same_arrays_and_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    save_dataset(one, dataset())
    loaded = load_dataset(one)
    save_dataset(two, loaded)
    assert one.read_bytes() == two.read_bytes()
    assert loaded.inputs.dtype == np.float32
    np.testing.assert_array_equal(loaded.labels, np.arange(100) % 4)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"gone\.npz is missing: run `dvc repro`"):
        load_dataset(tmp_path / "gone.npz")


@pytest.mark.parametrize("keep", [0, 10, 500])
def test_truncated_file_is_named(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "data.npz"
    save_dataset(path, dataset())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(StudyError, match=r"data\.npz is damaged"):
        load_dataset(path)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    arrays = vars(dataset()) | {"labels": np.array([{"a": 1}] * 100, dtype=object)}
    np.savez(path, **arrays)
    with pytest.raises(StudyError, match=r"damaged \(labels\.npy has the type object"):
        load_dataset(path)


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(StudyError, match="arrays of one length"):
        dataset(labels=np.zeros(3, dtype=np.int64))


def test_split_is_disjoint_complete_and_stratified() -> None:
    train, test = split_dataset(dataset(), 0.2, np.random.default_rng(0))
    assert sorted([*train, *test]) == list(range(100))
    assert np.bincount(test % 4).tolist() == [5, 5, 5, 5]


def test_split_is_decided_by_the_generator() -> None:
    splits = [split_dataset(dataset(), 0.5, np.random.default_rng(seed))[1] for seed in (1, 1, 2)]
    assert splits[0].tolist() == splits[1].tolist()
    assert splits[0].tolist() != splits[2].tolist()


def test_twins_stay_together() -> None:
    twins = dataset(n_classes=2, group=np.repeat(np.arange(50), 2))
    train, test = split_dataset(twins, 0.3, np.random.default_rng(0))
    assert not set(twins.group[train]) & set(twins.group[test])
    assert len(test) == 30


def test_official_test_set_is_kept() -> None:
    official = np.arange(100) >= 90
    train, test = split_dataset(dataset(official_test=official), 0.5, np.random.default_rng(0))
    assert test.tolist() == list(range(90, 100))
    assert sorted(train) == list(range(90))
    assert train.tolist() != sorted(train)


@pytest.mark.parametrize(("n_features", "n_classes"), [(2, 2), (3, 2), (2, 3)])
def test_only_two_classes_of_two_features_are_in_a_plane(n_features: int, n_classes: int) -> None:
    points = dataset(n_classes=n_classes, inputs=np.ones((100, n_features), dtype=np.float32))
    assert points.in_a_plane == ((n_features, n_classes) == (2, 2))
