"""A table that is good, to be changed, and read as a file of one's own."""

from pathlib import Path
from typing import Any

from study.data.own import read_own
from study.data.own_config import OwnDataConfig

N = 40
GOOD = {
    "age": [str(20 + i % 7) for i in range(N)],
    "colour": [("red", "green", "blue")[i % 3] for i in range(N)],
    "site": [f"s{i % 8}" for i in range(N)],
    "species": [("cat", "dog")[i // 2 % 2] for i in range(N)],
}


def csv(separator: str = ",", end: str = "\n", **columns: list[str] | None) -> str:
    """Write the good columns, with some of them replaced, added or (None) left out."""
    table = {name: column for name, column in (GOOD | columns).items() if column is not None}
    rows = [list(table), *zip(*table.values(), strict=True)]
    return "".join(separator.join(row) + end for row in rows)


def changed(name: str, row: int, value: str) -> str:
    """Write the good columns with another value in a row, as a spreadsheet counts it."""
    column = list(GOOD[name])
    column[row - 2] = value
    return csv(**{name: column})


def read(tmp_path: Path, content: str | bytes, suffix: str = ".csv", **keys: Any) -> Any:
    path = tmp_path / f"my{suffix}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_own(OwnDataConfig(**({"path": str(path), "target": "species"} | keys)))


def numbers(start: int, step: float = 1) -> list[str]:
    return [f"{start + step * i:g}" for i in range(N)]
