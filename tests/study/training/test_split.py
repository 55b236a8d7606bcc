"""The data of a run: standardised by its training points, and blocks that no two seeds share."""

import numpy as np
import pytest
import torch

from study.data.dataset import Dataset
from study.errors import StudyError
from study.training.experiment import RunConfig
from study.training.split import split_for
from tests.study.training.test_trainer import config, dataset


def table(n: int = 40) -> Dataset:
    """Two numbers, of which the first is missing now and then, and a category of two."""
    rng = np.random.default_rng(0)
    numbers = rng.normal([5, -3], [2, 0.1], size=(n, 2))
    numbers[::7, 0] = np.nan
    one_hot = np.eye(2)[rng.integers(2, size=n)]
    inputs = np.concatenate([numbers, one_hot], axis=1).astype(np.float32)
    none = np.zeros(n, dtype=bool)
    return Dataset(inputs, np.arange(n) % 2, np.arange(n), none, np.array([0, 0, 1, 1]))


def digits(n: int = 60, n_test: int = 12) -> Dataset:
    inputs = np.arange(n * 4, dtype=np.float32).reshape(n, 4)
    index = np.arange(n)
    return Dataset(inputs, index % 2, index, index >= n - n_test)


def test_numbers_are_standardised_by_the_training_points_alone() -> None:
    data, chosen = table(), config(standardise=True)
    plain = split_for(config(), dataset(n=40))
    split = split_for(chosen, data)
    assert len(split.train_labels) == len(plain.train_labels)
    for own in (split.train_inputs, split.test_inputs):
        assert own.isfinite().all()
    # The raw rows of the split, found again by their category and second number.
    raw = {float(row[1]): row for row in data.inputs.astype(np.float64)}
    second = np.array(sorted(raw))
    train = split.train_inputs.double().numpy()
    scaled = np.sort(train[:, 1])
    np.testing.assert_allclose(scaled.mean(), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(), 1, atol=1e-6)
    slope = np.ptp(second) / np.ptp(np.concatenate([train, split.test_inputs.numpy()])[:, 1])
    everything = np.concatenate([train, split.test_inputs.double().numpy()])
    order = everything[:, 1].argsort()
    rows = np.array([raw[value] for value in second])
    np.testing.assert_allclose(np.diff(everything[order, 1]) * slope, np.diff(second), atol=1e-5)
    np.testing.assert_array_equal(everything[order, 2:], rows[:, 2:])
    missing = np.isnan(rows[:, 0])
    assert missing.any()
    assert (everything[order, 0][missing] == 0).all()
    known = train[:, 0][train[:, 0] != 0]
    np.testing.assert_allclose([known.mean(), known.std()], [0, 1], atol=1e-5)


def test_pictures_are_standardised_by_channel_and_constant_columns_are_0() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 255, size=(32, 3, 4, 4), dtype=np.uint8)
    inputs[:, 2] = 7
    data = Dataset(inputs, np.arange(32) % 2, np.arange(32), np.zeros(32, dtype=bool))
    changed = config(standardise=True).model_dump() | {"net": {"kind": "cnn", "width": 2}}
    train = split_for(RunConfig.model_validate(changed), data).train_inputs.double()
    assert train.shape[1:] == (3, 4, 4)
    torch.testing.assert_close(train.mean((0, 2, 3)), torch.zeros(3).double(), atol=1e-6, rtol=0)
    stds = train.std((0, 2, 3), correction=0)
    torch.testing.assert_close(stds, torch.tensor([1.0, 1, 0]).double(), atol=1e-6, rtol=0)


def test_missing_numbers_need_a_mean_to_become() -> None:
    with pytest.raises(StudyError, match=r"experiments\.test\.training\.standardise must be true"):
        split_for(config(), table())


def test_seeds_share_no_training_point_of_disjoint_blocks() -> None:
    splits = [split_for(config(seed=seed, disjoint=16), digits()) for seed in (100, 101, 102)]
    rows = [set(split.train_inputs[:, 0].tolist()) for split in splits]
    assert [len(row) for row in rows] == [16, 16, 16]
    assert len(set.union(*rows)) == 48
    assert all((split.test_inputs[:, 0] >= 48 * 4).all() for split in splits)
    again = split_for(config("input", seed=103, disjoint=16), digits())
    assert set(again.train_inputs[:, 0].tolist()) == rows[0]


@pytest.mark.parametrize("data", [dataset(), digits(n=20)])
def test_blocks_need_enough_points_and_an_official_test_set(data: Dataset) -> None:
    with pytest.raises(StudyError, match="disjoint = 16 needs data with an official test set"):
        split_for(config(disjoint=16), data)
