"""Read one's own data, whatever they are kept in, and describe them."""

import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets

from study.data.arrays import read_arrays
from study.data.csv_text import MAX_BYTES, MAX_ROWS, check_beginning, read_csv
from study.data.dataset import Dataset
from study.data.encoded import Encoded
from study.data.images import is_idx_folder, read_folder, read_idx_folder
from study.data.labels import check_classes, class_members
from study.data.own_config import OwnDataConfig
from study.data.table import encode_table
from study.errors import StudyError

SUFFIXES = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".data"), "csv"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    ".npz": "npz",
}
TABLES = ("csv", "parquet")
FOLDERS = ("images", "idx")
BEGINNING = 64
"""Bytes that tell other kinds of files."""


@dataclass(frozen=True)
class Description:
    """What one's own data are, for the report; saved as data/own.json."""

    source: str
    """The file or folder as params.yaml names it, or the name of scikit-learn's."""
    format: str
    sha256: str
    """Of the file; of a folder, of the names and digests of its files."""
    n_samples: int
    n_groups: int
    """As many as samples where no group is named."""
    n_test: int
    """Samples of the official test set; 0 if there is none."""
    input_shape: list[int]
    class_names: list[str]
    """Of the classes; of the labels, where a sample may have several."""
    many_labels: bool
    counts: dict[str, int]
    """Samples of each class, or of each answer to each label."""
    imbalance: float
    """The largest count over the smallest."""
    repeated: int
    """Samples with the inputs of an earlier one, which may lie on both sides of a split."""
    feature_names: list[str]
    missing: dict[str, int]
    left_out: dict[str, str]
    rows_dropped: int


def read_own(config: OwnDataConfig) -> tuple[Dataset, Description]:
    """Read the data that ``config`` names, encode and check them.

    Returns:
        The data set, and what it is.

    Raises:
        StudyError: one line that names the file, the row and column where there is one, and what
            to do.
        OSError: the file cannot be read.
    """
    source = config.name or str(config.path)
    try:
        kind, sha256, encoded = _read(config)
        check_classes(encoded.dataset, encoded.class_names, config.smallest_class)
    except StudyError as error:
        raise StudyError(f"{source}: {error}") from error
    return encoded.dataset, _describe(source, kind, sha256, encoded)


def _read(config: OwnDataConfig) -> tuple[str, str, Encoded]:
    if config.name is not None:
        encoded = read_bundled(config.name, config)
        inputs, labels = encoded.dataset.inputs, encoded.dataset.labels
        content = np.ascontiguousarray(inputs).tobytes() + labels.tobytes()
        return "scikit-learn", hashlib.sha256(content).hexdigest(), encoded
    path = Path(os.path.expanduser(str(config.path)))
    if not path.exists():
        raise StudyError("is not there: own.path is relative to the folder of params.yaml")
    if not (path.is_file() or path.is_dir()):
        raise StudyError("is neither a file nor a folder")
    kind = _format(path) if config.format == "auto" else config.format
    _check_kind(path, kind, config)
    before = _sha256(path)
    encoded = _READERS[kind](path, config)
    if _sha256(path) != before:
        raise StudyError("changed while it was read: run again when nobody writes to it")
    return kind, before, encoded


def _format(path: Path) -> str:
    if path.is_dir():
        return "idx" if is_idx_folder(path) else "images"
    if kind := SUFFIXES.get(path.suffix.lower()):
        return kind
    with path.open("rb") as file:
        check_beginning(file.read(BEGINNING))
    raise StudyError(
        f"is of no kind that its name tells ({', '.join(SUFFIXES)}, or a folder): "
        "save it as one of these, or set own.format"
    )


def _check_kind(path: Path, kind: str, config: OwnDataConfig) -> None:
    if path.is_dir() != (kind in FOLDERS):
        found, needed = ("a folder", "a file") if path.is_dir() else ("a file", "a folder")
        raise StudyError(f"is {found}, and own.format = {kind} needs {needed}")
    if path.is_file() and path.stat().st_size > MAX_BYTES and kind in TABLES:
        raise StudyError(
            f"has {path.stat().st_size:,} bytes, more than the {MAX_BYTES:,} allowed: take a sample"
        )
    for key in ("target", "group", "drop", "categories", "keep"):
        if kind not in TABLES and getattr(config, key):
            raise StudyError(f"own.{key} names columns, and own.format = {kind} has none")


def _sha256(path: Path) -> str:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        lines = [f"{_sha256(file)}  {file.relative_to(path).as_posix()}" for file in files]
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_csv(path: Path, config: OwnDataConfig) -> Encoded:
    table, rows_dropped = read_csv(path.read_bytes(), config)
    return encode_table(table, config, rows_dropped)


def _read_parquet(path: Path, config: OwnDataConfig) -> Encoded:
    try:
        table = pd.read_parquet(io.BytesIO(path.read_bytes()))
    except ImportError as error:
        raise StudyError("reading Parquet needs pyarrow: pip install pyarrow") from error
    except Exception as error:  # whatever a damaged file may cause
        raise StudyError(f"is no Parquet file: {' '.join(str(error).split())[:200]}") from error
    if not 0 < len(table) <= MAX_ROWS:
        raise StudyError(f"has {len(table):,} rows, and 1 to {MAX_ROWS:,} are read")
    table = table.reset_index(drop=True)
    table.index += 1
    table.columns = table.columns.map(lambda name: str(name).strip())
    return encode_table(table, config)


_READERS: dict[str, Callable[[Path, OwnDataConfig], Encoded]] = {
    "csv": _read_csv,
    "parquet": _read_parquet,
    "npz": lambda path, _: read_arrays(path),
    "images": read_folder,
    "idx": lambda path, _: read_idx_folder(path),
}


def _describe(source: str, kind: str, sha256: str, encoded: Encoded) -> Description:
    dataset = encoded.dataset
    members = class_members(dataset, encoded.class_names)
    counts = {name: int(of_class.sum()) for name, of_class in members.items()}
    return Description(
        source=source,
        format=kind,
        sha256=sha256,
        n_samples=len(dataset.labels),
        n_groups=len(np.unique(dataset.group)),
        n_test=int(dataset.official_test.sum()),
        input_shape=list(dataset.inputs.shape[1:]),
        class_names=encoded.class_names,
        many_labels=dataset.labels.ndim == 2,
        counts=counts,
        imbalance=max(counts.values()) / min(counts.values()),
        repeated=len(dataset.inputs) - len({sample.tobytes() for sample in dataset.inputs}),
        feature_names=encoded.feature_names,
        missing=encoded.missing,
        left_out=encoded.left_out,
        rows_dropped=encoded.rows_dropped,
    )


BUNDLED = {
    "digits": datasets.load_digits,
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast_cancer": datasets.load_breast_cancer,
}
"""The data sets that scikit-learn ships."""
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
    )
    return Encoded(dataset, [str(digit) for digit in range(10)])


def _table(name: str, config: OwnDataConfig) -> Encoded:
    found = BUNDLED[name](as_frame=True)
    if config.targets not in ([], ["target"]):
        raise StudyError("own.target must be null or target: the data set has no other")
    table = found.frame
    table["target"] = found.target_names[table["target"]]
    return encode_table(table, config.model_copy(update={"target": "target"}))
