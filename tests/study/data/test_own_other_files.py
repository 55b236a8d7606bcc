"""Files that are no tables though their names say so, and tables that other programs write."""

import bz2
import gzip
import json
import lzma
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from study.errors import StudyError
from tests.study.data.good_table import changed, csv, read

OTHER: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    # files of other kinds
    "bzip2": (bz2.compress(csv().encode()), {}, r"bzip2: unpack it first \(bunzip2\)"),
    "xz": (lzma.compress(csv().encode()), {}, r"xz: unpack it first \(unxz\)"),
    "Zstandard": (b"\x28\xb5\x2f\xfd" + bytes(9), {}, "Zstandard: unpack it first"),
    "an array": (b"\x93NUMPY\1\0v\0{}", {}, "a single array: save inputs and labels"),
    "HDF5": (b"\x89HDF\r\n\x1a\n", {}, "HDF5 file: save the table as CSV"),
    "a database": (b"SQLite format 3\0", {}, "database: save the table as CSV"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid", {}, "git lfs pull"),
    "the page of an error": ("<html><p>Not found, sorry</p></html>", {}, "failed download"),
    "JSON": (json.dumps([{"age": 1, "species": "cat"}]), {}, "is JSON: save the table as CSV"),
    "JSON lines": ('{"age": 1, "species": "cat"}\n' * 9, {}, "is JSON: save the table as CSV"),
    # text of other kinds
    "not punycode": (csv(), {"encoding": "punycode"}, "is not punycode"),
    "UTF-32": (csv().encode("utf-32"), {}, "holds bytes of 0 and is no text"),
    "a comment above": ("# of 2026\n" + csv(), {}, "one column.*remove lines above their names"),
    "a separator at the ends of rows alone": (
        csv(end=",\n").replace(",\n", "\n", 1),
        {},
        "row 2 has 5 values where row 1 has 4",
    ),
    "units in the second row": (
        csv().replace("\n", "\nyears,name,name,cat\n", 1),
        {},
        "row 2, column age: 'years' is no number",
    ),
    # numbers written in other ways
    "percent": (
        csv(age=["5%", "12.5%"] * 20),
        {},
        r"rows 2, 3, .*column age: '5%' is no number: write it without the sign %\. Else add",
    ),
    "a currency": (changed("age", 4, "€ 20"), {}, "row 4, column age: .*without the sign €"),
    "digits of other scripts": (changed("age", 4, "٢٠"), {}, "column age: '٢٠' is no number, and"),
    "hexadecimal": (changed("age", 4, "0x1F"), {}, "row 4, column age: '0x1F' is no number"),
    # labels that are classes
    "classes as labels": (
        csv(a=["1", "0"] * 20, b=["0", "1"] * 20, species=None),
        {"target": ["a", "b"]},
        "each sample has just one of the labels",
    ),
}


@pytest.mark.parametrize("case", OTHER)
def test_another_file_is_refused_in_one_line(tmp_path: Path, case: str) -> None:
    content, keys, said = OTHER[case]
    with pytest.raises(StudyError, match=f"my.csv: .*{said}") as error:
        read(tmp_path, content, **keys)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 500


def test_what_to_do_is_said_of_files_with_other_names(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"my\.csv\.gz: is compressed by gzip: unpack it"):
        read(tmp_path, gzip.compress(csv().encode()), suffix=".csv.gz")
    with zipfile.ZipFile(tmp_path / "my.zip", "w") as archive:
        archive.writestr("cat/1.png", b"")
    with pytest.raises(StudyError, match=r"my\.zip: is a zip archive.*unpack it"):
        read(tmp_path, (tmp_path / "my.zip").read_bytes(), suffix=".zip")


@pytest.mark.parametrize("end", ["\r", ",\n"])
def test_rows_that_end_in_other_ways_give_the_same(tmp_path: Path, end: str) -> None:
    expected, _ = read(tmp_path, csv())
    dataset, _ = read(tmp_path, csv(end=end))
    np.testing.assert_array_equal(dataset.inputs, expected.inputs)


def test_a_line_end_within_quotes_is_of_the_value(tmp_path: Path) -> None:
    _, description = read(tmp_path, csv(colour=['"red\nish"', "blue"] * 20))
    assert "colour = red\nish" in description.feature_names


def test_percents_that_are_categories(tmp_path: Path) -> None:
    _, description = read(tmp_path, csv(age=["5%", "12%"] * 20), categories=["age"])
    assert "age = 12%" in description.feature_names
