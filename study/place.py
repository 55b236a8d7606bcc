"""Where the study that is run lies: beside its code, or in a folder below it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds the code."""
PACKAGES = ("mixup", "stages", "study")
"""What a stage imports of this project, which may lie among other packages."""
PINS = "requirements.lock"


class OtherStudy(NamedTuple):
    """The other study of the project: its name, its page from this one, how to make it."""

    name: str
    page: str
    command: str


OTHERS = {
    "": OtherStudy("full study", "../full/report/index.html", "make full"),
    "full": OtherStudy("quick study", "../../report/index.html", "make repro"),
}
"""Folder of a study -> the other one."""


def other_study() -> OtherStudy | None:
    """Name the other study of the project; None where this one is of one's own."""
    folder = study_folder()
    return OTHERS.get(folder) if folder or Path.cwd().resolve() == ROOT else None


def study_folder() -> str:
    """Name the current folder as seen from the one that holds the code, "" where it is that one."""
    here = Path.cwd().resolve()
    inside = here != ROOT and here.is_relative_to(ROOT)
    return here.relative_to(ROOT).as_posix() if inside else ""


def in_clone() -> bool:
    """Tell whether the code lies in a clone of the project, not where packages are installed."""
    return (ROOT / "pyproject.toml").is_file()


def from_code(command: str) -> str:
    """Give a command of this study as it is typed in the folder that holds the code."""
    folder = study_folder()
    return f"cd {folder} && {command}" if folder else command


def beside_code(name: str) -> str:
    """Give the path of a file beside the code from the current folder."""
    return Path(os.path.relpath(ROOT / name)).as_posix()
