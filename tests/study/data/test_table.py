"""Tables: what becomes of numbers, categories, missing values, labels and groups."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from study.data.own import read_own
from study.data.own_config import OwnDataConfig
from study.data.table import encode_table
from study.errors import StudyError

CONFIG = OwnDataConfig(path="my.csv", target="y")
N = 12
Y = ["a", "b", "b"] * 4


def table(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"x": np.arange(N) / 3} | columns | {"y": Y}, index=range(2, N + 2))


def test_numbers_categories_and_missing_values() -> None:
    """Against the same encoding written out by hand."""
    x = [0.5, None, 2.0] * 4
    colour = ["red", "blue", None, "red"] * 3
    encoded = encode_table(table(x=x, colour=colour), CONFIG)
    rows = []
    for number, text in zip(x, colour, strict=True):
        one_hot = [float((text or "missing") == value) for value in ("blue", "missing", "red")]
        rows.append([np.nan if number is None else number, *one_hot, float(number is None)])
    np.testing.assert_array_equal(encoded.dataset.inputs, np.array(rows, dtype=np.float32))
    assert encoded.dataset.inputs.dtype == np.float32
    assert encoded.dataset.columns.tolist() == [0, 1, 1, 1, 2]
    assert encoded.feature_names == [
        *("x", "colour = blue", "colour = missing", "colour = red", "x is missing")
    ]
    assert encoded.missing == {"x": 4, "colour": 3}
    assert encoded.class_names == ["a", "b"]
    assert encoded.dataset.labels.tolist() == [0, 1, 1] * 4


def test_each_category_is_a_block() -> None:
    columns = {"p": ["u", "v"] * 6, "q": [True, True, False, False] * 3, "z": [1, 2, 2, 4] * 3}
    encoded = encode_table(table(**columns), CONFIG)
    assert encoded.feature_names == ["x", "z", "p = u", "p = v", "q = False", "q = True"]
    assert encoded.dataset.columns.tolist() == [0, 0, 1, 1, 2, 2]


def test_rows_of_a_group_have_one_number() -> None:
    group = [3.0, 1.0, 3.0, 7.0] * 3
    config = CONFIG.model_copy(update={"group": "patient"})
    encoded = encode_table(table(patient=group), config)
    assert encoded.feature_names == ["x"]
    for i in range(N):
        for j in range(N):
            together = encoded.dataset.group[i] == encoded.dataset.group[j]
            assert together == (group[i] == group[j])
    alone = encode_table(table(), CONFIG).dataset.group
    assert len(set(alone.tolist())) == N


def test_many_labels() -> None:
    columns = {"late": [0, 1, 1] * 4, "lost": ["No", "no", "yes", "YES"] * 3, "paid": [True] * N}
    config = CONFIG.model_copy(update={"target": ["late", "lost", "paid"], "drop": ["y"]})
    encoded = encode_table(table(**columns), config)
    expected = np.array([[0, 1, 1] * 4, [0, 0, 1, 1] * 3, [1] * N]).T
    np.testing.assert_array_equal(encoded.dataset.labels, expected)
    assert encoded.dataset.labels.dtype == np.int64
    assert encoded.class_names == ["late", "lost", "paid"]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pd.date_range("2026-01-01", periods=N).to_numpy(), "column z holds dates"),
        (pd.timedelta_range("1h", periods=N).to_numpy(), "column z holds dates"),
        ([*"ab", b"c"] * 4, "rows 4, 7, 10, 13, column z: a value of the type bytes"),
        ([[1], [2], [3]] * 4, "column z: a value of the type list"),
        ([1, 2, "three", None] * 3, "rows 4, 8, 12, column z: 'three' is no number"),
    ],
)
def test_columns_of_types_that_a_parquet_file_may_have(column: object, said: str) -> None:
    frame = table()
    frame["z"] = pd.Series(list(column) if isinstance(column, list) else column, index=frame.index)
    with pytest.raises(StudyError, match=said):
        encode_table(frame, CONFIG)


def test_too_many_features() -> None:
    rows = 300
    frame = pd.DataFrame({f"c{i}": [f"v{(i + j) % 99}" for j in range(rows)] for i in range(103)})
    frame["y"] = ["a", "b", "b"] * 100
    with pytest.raises(StudyError, match=r"gives 10,197 features .* own\.drop"):
        encode_table(frame, CONFIG)


def test_a_parquet_file_gives_the_same_as_a_csv_file(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="reading Parquet needs pyarrow")
    frame = table(colour=["red", "blue", None, "red"] * 3, n=[1, 2, None, 3] * 3)
    frame.to_csv(tmp_path / "my.csv", index=False)
    frame.to_parquet(tmp_path / "my.parquet")
    keys = {"target": "y", "smallest_class": 3}
    a, from_csv = read_own(OwnDataConfig(path=str(tmp_path / "my.csv"), **keys))
    b, from_parquet = read_own(OwnDataConfig(path=str(tmp_path / "my.parquet"), **keys))
    np.testing.assert_array_equal(a.inputs, b.inputs)
    np.testing.assert_array_equal(a.labels, b.labels)
    assert from_csv.feature_names == from_parquet.feature_names
    (tmp_path / "my.parquet").write_bytes((tmp_path / "my.parquet").read_bytes()[:-9])
    with pytest.raises(StudyError, match=r"my\.parquet: is no Parquet file: \S"):
        read_own(OwnDataConfig(path=str(tmp_path / "my.parquet"), **keys))


def test_parquet_without_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks_pyarrow(_: object) -> None:
        raise ImportError("Unable to find a usable engine")

    monkeypatch.setattr(pd, "read_parquet", lacks_pyarrow)
    (tmp_path / "my.parquet").write_bytes(b"PAR1")
    with pytest.raises(StudyError, match="reading Parquet needs pyarrow: pip install pyarrow"):
        read_own(OwnDataConfig(path=str(tmp_path / "my.parquet"), target="y"))
