"""Good tables, however they are written down: what is read, and how it is described."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.study.data.good_table import GOOD, N, changed, csv, numbers, read


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        (csv(), {}),
        (csv(";"), {}),
        (csv("\t"), {}),
        (csv("|"), {}),
        (csv("~"), {"separator": "~"}),
        (csv(end="\r\n"), {}),
        (csv(" , "), {}),
        (b"\xef\xbb\xbf" + csv().encode(), {}),
        (csv().encode("utf-16"), {}),
        (csv().encode("utf-16-le"), {"encoding": "utf-16-le"}),
        (csv().encode("latin-1"), {"encoding": "latin-1"}),
        (csv() + "\n\n,,,\n", {}),
        (csv().replace("age", '"age"').replace("red", '"red"'), {}),
        (csv(";", age=[f"{int(a)},0" for a in GOOD["age"]]), {"decimal": ","}),
    ],
)
def test_files_of_many_kinds_give_the_same(
    tmp_path: Path, content: str | bytes, keys: dict[str, Any]
) -> None:
    expected, _ = read(tmp_path, csv())
    dataset, description = read(tmp_path, content, **keys)
    np.testing.assert_array_equal(dataset.inputs, expected.inputs)
    np.testing.assert_array_equal(dataset.labels, expected.labels)
    assert description.feature_names[0] == "age"


@pytest.mark.parametrize("name", ["id", "day"])
def test_a_suspect_is_read_where_one_says_so(tmp_path: Path, name: str) -> None:
    column = {"id": numbers(1), "day": ["2026-01-31", "2026-02-01"] * 20}[name]
    _, dropped = read(tmp_path, csv(**{name: column}), drop=[name])
    assert dropped.left_out == {name: "own.drop"}
    _, kept = read(tmp_path, csv(**{name: column}), keep=[name])
    assert any(feature.startswith(name) for feature in kept.feature_names)


def test_numbers_that_are_categories(tmp_path: Path) -> None:
    content = changed("age", 4, "3+")
    _, description = read(tmp_path, content, categories=["age"])
    assert "age = 3+" in description.feature_names


def test_a_class_of_codes(tmp_path: Path) -> None:
    codes = ["2", "10", "2.0", "10"] * 10
    dataset, description = read(tmp_path, csv(species=codes))
    assert description.class_names == ["2", "10"]
    assert dataset.labels.tolist() == [0, 1] * 20


def test_a_list_of_one_target_is_its_name(tmp_path: Path) -> None:
    assert read(tmp_path, csv(), target=["species"])[1].class_names == ["cat", "dog"]


def test_what_is_described(tmp_path: Path) -> None:
    content = csv(empty=[""] * N, same=["7"] * N).replace("20,", ",", 1) + "\n"
    dataset, description = read(tmp_path, content, group="site")
    assert description.counts == {"cat": 20, "dog": 20}
    assert description.imbalance == 1.0
    assert description.repeated == N - len({tuple(row) for row in dataset.inputs.tolist()})
    assert description.missing == {"age": 1}
    assert description.n_groups == 8
    assert description.left_out == {"empty": "it has no value", "same": "all its values are equal"}
    assert description.rows_dropped == 1
    assert len(dataset.labels) == description.n_samples == N
    assert np.isnan(dataset.inputs[0, 0])


def test_the_digest_is_that_of_sha256sum(tmp_path: Path) -> None:
    _, description = read(tmp_path, b"a,species\n" + b"1,x\n2,y\n1,y\n" * 10)
    assert description.sha256.startswith("e607b9814ec66a5b")
