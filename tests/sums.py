"""Checksums for folders that tests fill by hand, or change."""

from pathlib import Path

from study.files import SUMS, sums


def write_sums(folder: Path) -> None:
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != SUMS}
    (folder / SUMS).write_bytes(sums(files))
