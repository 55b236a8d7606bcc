"""The data sets that scikit-learn ships, against scikit-learn itself."""

import numpy as np
import pytest
from sklearn import datasets

from study.data.own import read_own
from study.data.own_config import OwnDataConfig
from study.errors import StudyError


@pytest.mark.parametrize("name", ["breast_cancer", "iris", "wine"])
def test_a_table(name: str) -> None:
    dataset, description = read_own(OwnDataConfig(name=name))
    found = getattr(datasets, f"load_{name}")()
    np.testing.assert_array_equal(dataset.inputs, found.data.astype(np.float32))
    expected = found.target_names[found.target].tolist()
    assert [description.class_names[label] for label in dataset.labels] == expected
    assert description.feature_names == list(found.feature_names)
    assert not dataset.columns.any()


def test_the_digits_are_images() -> None:
    dataset, description = read_own(OwnDataConfig(name="digits"))
    found = datasets.load_digits()
    assert dataset.inputs.shape == (1797, 1, 8, 8)
    assert dataset.inputs.dtype == np.float32
    np.testing.assert_array_equal(dataset.inputs[:, 0] * 16, found.images)
    np.testing.assert_array_equal(dataset.labels, found.target)
    assert description.feature_names == []


def test_columns_are_chosen_as_of_a_file() -> None:
    config = OwnDataConfig(name="iris", drop=["petal width (cm)"])
    assert read_own(config)[0].inputs.shape == (150, 3)
    with pytest.raises(StudyError, match=r"iris: own\.target must be null or target"):
        read_own(OwnDataConfig(name="iris", target="species"))
