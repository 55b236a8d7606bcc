"""Folders as the study writes them."""

from pathlib import Path

from mixup.study.files import SUMS, sums


def write_sums(folder: Path) -> None:
    """Write the checksums of a folder's files, which a test has made or changed."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != SUMS}
    (folder / SUMS).write_bytes(sums(files))
