"""Read a CSV file as a table of texts, and say in which row it is not one."""

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pandas as pd

from study.data.own_config import OwnDataConfig
from study.errors import StudyError
from study.params import shown

MAX_BYTES = 1 << 28
MAX_ROWS = 10**6
MAX_COLUMNS = 10**4
SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
ROWS_LOOKED_AT = 20
# What other files begin with, and what to do about it.
OTHER_FILES = {
    b"\x1f\x8b": "is compressed by gzip: unpack it first (gunzip)",
    b"BZh": "is compressed by bzip2: unpack it first (bunzip2)",
    b"\xfd7zXZ": "is compressed by xz: unpack it first (unxz)",
    b"\x28\xb5\x2f\xfd": "is compressed by Zstandard: unpack it first (unzstd)",
    b"PK\x03\x04": "is a zip archive, as spreadsheets are: unpack it, or save the sheet as CSV",
    b"PAR1": "is a Parquet file: set own.format to parquet",
    b"%PDF": "is a PDF file: save the table as CSV",
    b"\x80\x04": "is a pickle, which is never loaded: save the table as CSV",
    b"\xd0\xcf\x11\xe0": "is an old spreadsheet: save the sheet as CSV",
    b"\x93NUMPY": "is a single array: save inputs and labels as one NPZ file (numpy.savez)",
    b"\x89HDF": "is an HDF5 file: save the table as CSV",
    b"SQLite format 3": "is a database: save the table as CSV",
    b"version https://git-lfs": "is a pointer of Git LFS to the file: fetch that (git lfs pull)",
    b"<": "is HTML or XML, as the page of a failed download is: save the table as CSV",
    b"{": "is JSON: save the table as CSV",
    b"[{": "is JSON: save the table as CSV",
}


def read_csv(content: bytes, config: OwnDataConfig) -> tuple[pd.DataFrame, int]:
    """Read all of a CSV file as texts without spaces around them.

    Rows are counted as a spreadsheet does: the names of the columns are row 1.

    Returns:
        Texts, under the names in row 1 and indexed by row, ``None`` where one is missing; the
        number of rows that were empty and are left out.

    Raises:
        StudyError: it is no CSV file; says in which row, and what to do.
    """
    text = _decoded(content, config.encoding)
    if not text.strip():
        raise StudyError("is empty")
    if text.count("\n") > MAX_ROWS + 1:
        raise StudyError(f"has more than {MAX_ROWS:,} rows: take a sample of them")
    separator = _separator(text) if config.separator == "auto" else config.separator
    header, *rows = _checked_rows(text, separator)
    table = pd.DataFrame(rows, columns=_names(header), index=range(2, len(rows) + 2), dtype=object)
    table = table.apply(lambda column: column.str.strip())
    is_empty = (table == "").all(axis=1)
    if is_empty.all():
        raise StudyError("has the names of columns in row 1, and no other row")
    table = table[~is_empty]
    return table.mask(table.isin(config.missing), other=np.nan), int(is_empty.sum())


def check_beginning(content: bytes) -> None:
    """Refuse what begins as other files than tables do.

    Raises:
        StudyError: what it is, and what to do.
    """
    for magic, problem in OTHER_FILES.items():
        if content.startswith(magic):
            raise StudyError(problem)


def _decoded(content: bytes, encoding: str) -> str:
    check_beginning(content)
    if encoding == "auto":
        is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        encoding = "utf-16" if is_utf16 else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise StudyError(
            f"line {line} has the byte 0x{content[error.start]:02x}, which is not {encoding}: save "
            "it as UTF-8, or set own.encoding (latin-1 or cp1252 for many a Western file)"
        ) from error
    except UnicodeError as error:  # of some encodings, which do not say where
        raise StudyError(f"is not {encoding}, as own.encoding says: {error}") from error
    if "\0" in text:
        raise StudyError(
            "holds bytes of 0 and is no text: save the table as CSV in UTF-8, "
            "or set own.encoding (utf-16-le or utf-16-be) if it is UTF-16"
        )
    return text


def _separator(text: str) -> str:
    """Find the separator by which all of the first rows have the most columns."""
    columns = {}
    for separator in SEPARATORS:
        try:
            first = list(islice(filter(None, _reader(text, separator)), ROWS_LOOKED_AT))
        except csv.Error:  # a value too long, as most of the file is by a wrong separator
            continue
        columns[separator] = min(map(len, first))
    return max(columns, key=columns.__getitem__, default=",")


def _reader(text: str, separator: str, strict: bool = False) -> Iterator[list[str]]:
    return csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=strict
    )


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    number = 1
    try:
        for row in _reader(text, separator, strict=True):
            yield row
            number += 1
    except csv.Error as error:
        raise StudyError(
            f"row {number} cannot be read ({error}): are its quotes closed, "
            'and those inside quotes written twice, as ""?'
        ) from error


def _checked_rows(text: str, separator: str) -> Iterator[list[str]]:
    """Yield the rows, all of which have as many values as the first one, or none."""
    rows = _rows(text, separator)
    header = next(rows)
    by = f"separated by {SEPARATORS.get(separator, separator)}"
    if not any(map(str.strip, header)):
        raise StudyError("row 1 is empty: it must hold the names of the columns")
    if len(header) > MAX_COLUMNS:
        raise StudyError(
            f"row 1 has {len(header):,} columns, more than the {MAX_COLUMNS:,} allowed: choose "
            "some, or save the numbers as an NPZ file of inputs and labels"
        )
    if len(header) == 1:
        raise StudyError(
            f"row 1 has one column, {shown(header[0])}, {by}: "
            "set own.separator to the character between columns, and remove lines above their names"
        )
    yield header
    for number, row in enumerate(rows, start=2):
        if row and len(row) != len(header):
            raise StudyError(
                f"row {number} has {len(row)} values where row 1 has {len(header)} names, {by}: "
                "mend the row, quote the values that hold the separator, or set own.separator"
            )
        yield row or [""] * len(header)


def _names(header: list[str]) -> list[str]:
    """Name the columns; one without a name, as of an index that was saved, is called by number."""
    return [name.strip() or f"column {number}" for number, name in enumerate(header, start=1)]
