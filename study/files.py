"""Write files and folders whole or not at all, and notice what changed in them later.

Whole: a temporary name first, then a rename.
A process that is killed leaves its temporary folder, ``.NAME-PID-....tmp``. Git and DVC are told to
ignore those, and who writes NAME next removes them.
"""

import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from study.errors import FileError

SUMS = "SHA256SUMS"
"""Name of the file that has the checksums of the others in its folder."""


@contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that takes its place if the block succeeds.

    Example:
        >>> with whole_file("metrics/summary.json") as temporary:  # doctest: +SKIP
        ...     temporary.write_text("{}")
    """
    path = Path(path)
    with _folder_beside(path) as folder:
        temporary = folder / path.name
        yield temporary
        os.replace(temporary, path)


def write_text(path: Path | str, text: str) -> None:
    """Write a text file whole or not at all, in UTF-8."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def whole_folder(path: Path | str) -> Iterator[Path]:
    """Give a temporary folder beside ``path`` that replaces it if the block succeeds.

    Raises:
        NotADirectoryError: a file is there, which is left as it is.
    """
    path = Path(path)
    if path.is_file():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    with _folder_beside(path) as folder:
        temporary = folder / "new"
        temporary.mkdir()
        yield temporary
        if path.exists():
            # Moved away, because to be killed while deleting it would leave half a folder.
            os.replace(path, folder / "old")
        os.replace(temporary, path)


def sums(files: Mapping[str, bytes]) -> bytes:
    """Write the checksums of the files of a folder, for ``sha256sum --check SHA256SUMS`` too."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(files)).encode()


def check_folder(folder: Path) -> None:
    """Compare all files of a folder with their checksums, which `sums` made.

    Raises:
        FileError: one is another one, missing or unknown, or the checksums are missing.
    """
    path = folder / SUMS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise FileError(path) from error
    except ValueError as error:
        raise FileError(path, error) from error
    names = {line.partition("  ")[2] for line in lines}
    found = {file.name for file in folder.iterdir()} - {SUMS}
    for name in sorted(names | found):
        if name not in found:
            raise FileError(folder / name)
        check_sum(folder / name)


def check_sum(path: Path) -> None:
    """Compare a file with its checksum, as `sums` has it.

    Raises:
        FileError: it is another one, or the checksums are missing.
        OSError: the file cannot be read.
    """
    sums = path.parent / SUMS
    try:
        lines = sums.read_bytes().splitlines()
    except FileNotFoundError as error:
        raise FileError(sums) from error
    if f"{_sha256(path)}  {path.name}".encode() not in lines:
        raise FileError(path, f"{SUMS} has another checksum")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    prefix = f".{path.name}-{os.getpid()}-"
    folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".tmp", dir=path.parent))
    try:
        yield folder
    except OSError as error:
        if error.errno and error.filename is None:  # as of a write that finds the disk full
            error.filename = str(path)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary folders of processes that were killed while they wrote ``path``."""
    name = re.compile(rf"\.{re.escape(path.name)}-(\d+)-\w+\.tmp")
    for beside in path.parent.iterdir():
        match = name.fullmatch(beside.name)
        if match and not psutil.pid_exists(int(match[1])):
            shutil.rmtree(beside, ignore_errors=True)
