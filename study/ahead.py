"""Runs that are trained ahead of their stages, many at a time, and wait beside the study.

The stage `train_ahead` leaves them here; each train stage takes its own, or trains it itself. A run
is kept under the digest of all that decides its bytes, so that none is ever taken for another.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from study.code import CODE, read_code, version_of
from study.errors import FileError, StudyError
from study.files import check_folder, whole_folder
from study.paths import copied_from
from study.training.experiment import RunConfig

FOLDER = "ahead"
CORES = ".cores"
"""Name of the folder, in that of the runs, by which those who train share the cores."""
DAY = 24 * 3600


def ahead_folder() -> Path:
    """Find the folder of runs trained ahead.

    DVC runs experiments in folders of their own, which go when they end. Those share the folder of
    the study that they were made from: what was trained for an interrupted one is not lost.
    """
    return (copied_from() or Path.cwd()) / FOLDER


def run_identity(config: RunConfig, data: Path, code: str) -> str:
    """Digest all that decides the bytes of a run: its parameters, its data and its code.

    Args:
        config: the run.
        data: the file of its data set.
        code: as of `code_version`.
    """
    parameters = json.dumps(config.model_dump(), sort_keys=True)
    content = "\n".join([parameters, _file_digest(data, data.stat().st_mtime_ns), code])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def recorded_code() -> str:
    """Name the code that runs are to be trained with: `code_version`, as the stage `code` has it.

    Raises:
        StudyError: code.json is missing or damaged.
    """
    digests = read_code()
    if "train" not in digests:
        raise FileError(CODE, "it has no digest of the stage train")
    return version_of(digests["train"])


def keep(identity: str, files: Mapping[str, bytes]) -> None:
    """Keep the files of a run until its stage takes them.

    Raises:
        StudyError: a file is not as it was written, for instance on its way from another machine.
    """
    with whole_folder(ahead_folder() / identity) as temporary:
        for name, content in files.items():
            (temporary / name).write_bytes(content)
        check_folder(temporary)


def is_kept(identity: str) -> bool:
    """Tell whether a run waits here."""
    return (ahead_folder() / identity).is_dir()


def take(identity: str, folder: Path) -> bool:
    """Put the run in place as ``folder``, if it waits here and its files are as they were written.

    It stays here too, without using more of the disk, until `forget`: DVC may be interrupted before
    it has recorded what its stage took.
    """
    kept = ahead_folder() / identity
    if not kept.is_dir():
        return False
    try:
        check_folder(kept)
    except StudyError:
        shutil.rmtree(kept, ignore_errors=True)
        return False
    with whole_folder(folder) as temporary:
        for file in kept.iterdir():
            try:
                os.link(file, temporary / file.name)
            except OSError:  # another file system, or one without links
                shutil.copyfile(file, temporary / file.name)
    return True


def forget(recorded: Iterable[str]) -> None:
    """Delete runs that are recorded, and whatever was left here more than a day ago."""
    folder = ahead_folder()
    for identity in recorded:
        shutil.rmtree(folder / identity, ignore_errors=True)
    for path in folder.glob("*"):
        with suppress(OSError):
            if path.name != CORES and path.stat().st_mtime < time.time() - DAY:
                shutil.rmtree(path)


@lru_cache
def _file_digest(path: Path, _modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
