"""The data sets that ship inside scikit-learn, as if they were one's own."""

import numpy as np
from sklearn import datasets

from study.data.dataset import Dataset
from study.data.encoded import Encoded
from study.data.own_config import OwnDataConfig
from study.data.table import encode_table
from study.errors import StudyError

TABLES = {
    "breast_cancer": datasets.load_breast_cancer,
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
}
DARKEST = 16.0
"""The largest value of a pixel of the digits."""


def read_bundled(name: str, config: OwnDataConfig) -> Encoded:
    """Give one of scikit-learn's data sets: the digits as (1797, 1, 8, 8) images, else a table.

    Raises:
        StudyError: ``config`` names a column that the table lacks.
    """
    return _digits() if name == "digits" else _table(name, config)


def _digits() -> Encoded:
    images, labels = datasets.load_digits(return_X_y=True)
    pixels = (images / DARKEST).astype(np.float32).reshape(-1, 1, 8, 8)
    dataset = Dataset(
        inputs=pixels,
        labels=labels.astype(np.int64),
        group=np.arange(len(labels)),
        official_test=np.zeros(len(labels), dtype=bool),
        columns=np.empty(0, dtype=np.int64),
    )
    return Encoded(dataset, [str(digit) for digit in range(10)])


def _table(name: str, config: OwnDataConfig) -> Encoded:
    found = TABLES[name](as_frame=True)
    if config.targets not in ([], ["target"]):
        raise StudyError("own.target must be null or target: the data set has no other")
    table = found.frame
    table["target"] = found.target_names[table["target"]]
    return encode_table(table, config.model_copy(update={"target": "target"}))
