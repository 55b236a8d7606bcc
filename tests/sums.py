"""Checksums for folders that tests fill by hand, or change."""

from pathlib import Path

from study.files import SUMS, sums


def write_summed(folder: Path, name: str, text: str) -> None:
    """Write the one file of a new folder, and its checksum."""
    folder.mkdir(parents=True)
    (folder / name).write_text(text)
    write_sums(folder)


def write_sums(folder: Path) -> None:
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != SUMS}
    (folder / SUMS).write_bytes(sums(files))
