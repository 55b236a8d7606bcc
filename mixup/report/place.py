"""Where the study that is run lies: beside its code, or in a folder below that has it as links."""

from __future__ import annotations

import os
from pathlib import Path

CODE = "mixup"


def study_folder() -> str:
    """Name the current folder as seen from the one that holds the code, "" where it is that one."""
    here, code = Path.cwd().resolve(), _folder_of_code()
    inside = here != code and here.is_relative_to(code)
    return here.relative_to(code).as_posix() if inside else ""


def from_code(command: str) -> str:
    """Give a command of this study as it is typed in the folder that holds the code."""
    folder = study_folder()
    return f"cd {folder} && {command}" if folder else command


def beside_code(name: str) -> str:
    """Give the path of a file beside the code, itself no link, from the current folder."""
    return Path(os.path.relpath(_folder_of_code() / name)).as_posix()


def _folder_of_code() -> Path:
    return Path(CODE).resolve().parent
