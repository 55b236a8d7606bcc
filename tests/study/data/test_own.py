"""Odd files: each is refused in one line that says where and what to do."""

import gzip
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from study.errors import StudyError
from tests.study.data.good_table import GOOD, N, changed, csv, numbers, read

PIECES = st.binary(max_size=9) | st.sampled_from(
    [b",", b";", b"\n", b"\r", b'"', b"\0", b"\t", b"nan", b"-inf", b"1e999", b"\xff"]
)
SMALL = "a,species\n" + "1,x\n2,y\n" * 10


def in_one_line(error: StudyError) -> None:
    assert str(error).isprintable()
    assert len(str(error)) < 500


def zip_of(content: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("sheet.xml", content)
    return file.getvalue()


ODD: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    # no table at all
    "empty": ("", {}, "is empty"),
    "only spaces": (" \n\n ", {}, "is empty"),
    "only a byte order mark": (b"\xef\xbb\xbf", {}, "is empty"),
    "header only": ("age,species\n", {}, "row 1, and no other row"),
    "header and empty rows": ("age,species\n,\n\n", {}, "row 1, and no other row"),
    "no header": (SMALL.partition("\n")[2], {}, "there is no column species"),
    "no header, numbers": (
        "1,2,0\n3,4,1\n" * 10,
        {},
        "row 1 holds numbers: it must hold the names",
    ),
    "empty first row": ("\n" + csv(), {}, "row 1 is empty"),
    "gzip": (gzip.compress(csv().encode()), {}, r"gzip: unpack it first \(gunzip\)"),
    "zip": (zip_of(csv()), {}, "zip archive, as spreadsheets are"),
    "a pickle": (pickle.dumps({"a": 1}), {}, "pickle, which is never loaded"),
    "parquet called csv": (b"PAR1" + bytes(30), {}, "set own.format to parquet"),
    "binary": (bytes(range(128)) * 9, {}, "holds bytes of 0 and is no text"),
    # text of other kinds
    "latin-1": (
        changed("colour", 5, "caf\xe9").encode("latin-1"),
        {},
        "line 5 has the byte 0xe9, which is not utf-8.*set own.encoding",
    ),
    "UTF-16 without a mark": (csv().encode("utf-16-le"), {}, "set own.encoding .utf-16-le"),
    "semicolons taken for commas": (csv(";"), {"separator": ","}, "one column.*own.separator"),
    "spaces between columns": (csv(" "), {}, "one column.*set own.separator"),
    "one column": ("species\n" + "x\ny\n" * 9, {}, "row 1 has one column"),
    "open quote": (changed("colour", 7, '"red'), {}, "row 7 cannot be read.*quotes closed"),
    "a quote within": (changed("colour", 7, '"red"dish'), {}, "row 7 cannot be read"),
    "a row too long": (
        changed("colour", 7, "red,blue"),
        {},
        "row 7 has 5 values where row 1 has 4",
    ),
    "a row too short": (csv() + "1,red\n", {}, "row 42 has 2 values where row 1 has 4"),
    "10^6 columns": (",".join(map(str, range(10**6))) + "\n1\n", {}, "row 1 has 1,000,000 columns"),
    "10^6 rows": ("a,species\n" + "1,x\n" * 1_000_001, {}, "has more than 1,000,000 rows"),
    # names
    "a name twice": (csv(**{"age ": numbers(1)}), {}, "two columns are called age"),
    "target not there": (csv(), {"target": "specie"}, "column specie: did you mean species"),
    "no target": (csv(), {"target": None}, "own.target must name.*there are: age, colour"),
    "group not there": (csv(), {"group": "sites"}, "own.group.*did you mean site"),
    "dropped not there": (csv(), {"drop": ["id"]}, "own.drop: there is no column id"),
    # targets
    "a missing target": (changed("species", 9, "NA"), {}, "row 9: column species.*missing: fill"),
    "many missing targets": (
        csv(species=[""] * N),
        {},
        "rows 2, 3, 4, 5, 6 and 35 more: column species",
    ),
    "constant target": (csv(species=["cat"] * N), {}, "'cat' in all of the 40 rows"),
    "one row": ("a,species\n1,x\n", {}, "'x' in all of the 1 rows"),
    "regression": (csv(species=numbers(1, 0.37)), {}, "40 different numbers.*cut it into classes"),
    "regression, whole numbers": (
        csv(species=[str(i // 2 * 3) for i in range(N)]),
        {},
        "20 different numbers in 40 rows.*if they are codes of classes, add",
    ),
    "small classes of codes": (
        csv(species=[str(i // 2 * 3) for i in range(N)]),
        {"categories": ["species"]},
        "class 0 has 2 samples",
    ),
    "regression in few rows": (
        "a,y\n1,0.5\n2,1.5\n3,9\n",
        {"target": "y"},
        "3 different numbers in 3 rows",
    ),
    "a rare class": (changed("species", 9, "cow"), {}, "class cow has 1 sample, .* join it"),
    "a class in one group": (
        csv(site=[f"{a}{i % 4 * (a == 'dog')}" for i, a in enumerate(GOOD["species"])]),
        {"group": "site"},
        "class cat lies in 1 of the groups",
    ),
    "group is the target again": (csv(site=GOOD["species"]), {"group": "site"}, "target again"),
    "a group is missing": (changed("site", 3, ""), {"group": "site"}, "row 3: column site, the gr"),
    "labels that are no labels": (
        csv(),
        {"target": ["species", "site"]},
        "column species: 'cat' is neither",
    ),
    "a label that all have": (
        csv(a=["1"] * N, b=["0", "1"] * (N // 2), species=None),
        {"target": ["a", "b"]},
        "class a = 0 has 0 samples",
    ),
    # columns
    "the target again": (
        csv(code=[s.upper() for s in GOOD["species"]]),
        {},
        "code is the targ",
    ),
    "the target as numbers": (
        csv(code=[str(len(s) + (s == "dog")) for s in GOOD["species"]]),
        {},
        "column code is the target again, .*own.drop",
    ),
    "an id of numbers": (csv(id=numbers(1)), {}, "column id looks like an id, with 40 different"),
    "an id of texts": (csv(id=[f"p{i}" for i in range(N)]), {}, "column id looks like an id"),
    "an index without name": (csv(**{"": numbers(0)}), {}, "column 5 looks like an id"),
    "ISO dates": (csv(day=["2026-01-31", "2026-02-01"] * 20), {}, "column day holds dates"),
    "dates with slashes": (csv(day=["31/1/26", "1/2/26"] * 20), {}, "column day holds dates"),
    "dates in words": (csv(day=["31 Jan 2026", "1 May 2026"] * 20), {}, "column day holds dates"),
    "times": (csv(at=["12:30", "12:31:07"] * 20), {}, "column at holds dates or times"),
    "free text": (
        csv(note=[f"said {i // 2} things" for i in range(N)]),
        {"most_categories": 10},
        "column note holds free text, or too many categories: 20 different",
    ),
    "long text": (csv(note=["w " * 200, "v", "u", "t"] * 10), {}, "column note holds free text"),
    "infinity": (changed("age", 4, "inf"), {}, "row 4, column age: infinite"),
    "too large a number": (changed("age", 4, "1e39"), {}, "row 4, column age: infinite, or larger"),
    "numbers that float32 rounds": (
        csv(at=[str(1_600_000_000 + i % 9) for i in range(N)]),
        {},
        "column at is of large numbers that differ by little",
    ),
    "mixed types": (changed("age", 4, "young"), {}, "row 4, column age: 'young' is no number"),
    "numbers with a unit": (changed("age", 4, "21 kg"), {}, "row 4, column age: '21 kg' is no num"),
    "decimal comma": (
        csv(";", age=["1,5", "2,25"] * 20),
        {},
        "row.* column age: '1,5' is no number: set own.decimal",
    ),
    "decimal comma, quoted": (
        changed("age", 4, '"3,14"'),
        {},
        "row 4, column age: '3,14'.*deci",
    ),
    "thousands": (changed("age", 4, '"1,234.5"'), {}, "row 4, .*without thousands separators"),
    "no feature": (csv(age=["1"] * N, colour=None, site=None), {}, "has no feature"),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_file_is_refused_in_one_line(tmp_path: Path, case: str) -> None:
    content, keys, said = ODD[case]
    with pytest.raises(StudyError, match=f"my.csv: .*{said}") as error:
        read(tmp_path, content, **keys)
    in_one_line(error.value)


def test_all_suspects_are_named_at_once(tmp_path: Path) -> None:
    ids = {f"id{i}": numbers(i) for i in range(5)}
    with pytest.raises(StudyError, match=r"column id0 .*; also, column id3 .*; and 1 more$"):
        read(tmp_path, csv(**ids))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_in_a_line(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(csv().encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 9))] = data.draw(PIECES)
    try:
        dataset, _ = read(tmp_path, bytes(content), decimal=data.draw(st.sampled_from(",.")))
    except StudyError as error:
        in_one_line(error)
    else:
        assert not np.isinf(dataset.inputs).any()
