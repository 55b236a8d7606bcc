"""Where a new study lies: how it calls the code, finds the data, and whether Git sees it."""

import os
import shutil
import subprocess
from pathlib import Path

from study.errors import StudyError
from study.place import ROOT, in_clone


def python_command(folder: Path) -> str:
    """Say how the study calls what lies in ``stages`` and ``tools``, up to the name of these.

    Raises:
        StudyError: the study would lie outside of the clone whose code this is.
    """
    if not in_clone():
        return "python -m "
    if not folder.resolve().is_relative_to(ROOT):
        raise StudyError(
            f"{folder} lies outside of {ROOT}: make the study inside it, or install the project "
            f"where the study is to be (pip install {ROOT} {ROOT / 'release'})"
        )
    return f"python {Path(os.path.relpath(ROOT, folder.resolve())).as_posix()}/"


def path_from(folder: Path, data: Path) -> str:
    """Say where data lie, seen from the folder of a study.

    The path is absolute where the study can be copied without its data: DVC runs experiments in
    copies of the Git repository, at other places.
    """
    top = git_folder(folder)
    if top and not data.resolve().is_relative_to(top):
        return data.resolve().as_posix()
    return Path(os.path.relpath(data, folder)).as_posix()


def git_folder(folder: Path) -> Path | None:
    """Find the Git repository in which a folder lies, which need not be there yet."""
    return next((above for above in folder.resolve().parents if (above / ".git").exists()), None)


def is_ignored(folder: Path) -> bool:
    """Tell whether Git ignores a folder that lies in a repository."""
    if git_folder(folder) is None or not shutil.which("git"):
        return False
    command = ["git", "check-ignore", "--quiet", folder.name]
    return subprocess.run(command, cwd=folder.resolve().parent, check=False).returncode == 0
