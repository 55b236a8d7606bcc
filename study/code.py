"""The code that a stage runs, as one digest by meaning.

DVC follows no imports. The stage `code` follows them, and writes a digest for every stage into
code.json; the other stages name theirs among their params. So an edit reruns what it can change:
comments, docstrings and layout are not part of a digest, and neither is code that a stage does not
import.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator
from functools import cache
from importlib.metadata import version
from os.path import isdir, isfile
from pathlib import Path

from study.errors import FileError
from study.place import PACKAGES, PINS, ROOT
from study.syntax import imports_of, meaning

CODE = Path("code.json")
NO_DIGEST = ("__init__", "__main__", "code", "train_ahead")
"""Modules of stages/ whose digest nobody asks for: the last two run whenever they may be needed."""
CANNOT_CHANGE_RESULTS = {
    "study.ahead": "moves a finished run, whose checksums are compared",
    "study.code": "another digest already says that something changed",
    "study.command": "prints how a stage failed",
    "stages.__init__": "decides what Ctrl-C does, and lets imports be fast",
}
"""Modules that stages import and that no output depends on, and why."""
DECIDING = {
    **{name: name for name in ("contourpy", "jinja2", "matplotlib", "mlxtend", "numpy", "pandas")},
    **{name: name for name in ("safetensors", "scipy", "torch")},
    "PIL": "pillow",
    "sklearn": "scikit-learn",
}
"""Imported packages whose version can change an output, and the names they are pinned by."""


def stage_digests(root: Path = ROOT) -> dict[str, str]:
    """Compute the digest of every stage, by the name of its module in stages/."""
    names = sorted(path.stem for path in (root / "stages").glob("*.py"))
    return {name: stage_digest(name, root) for name in names if name not in NO_DIGEST}


@cache
def stage_digest(stage: str, root: Path = ROOT) -> str:
    """Digest the code that ``python -m stages.STAGE`` imports, directly or not.

    That is the meaning of its Python files, the bytes of the other files in their packages
    (templates, style sheets, scripts), and the pinned versions of the packages of `DECIDING`. It is
    the same on every supported version of Python.

    Returns:
        The first 16 hexadecimal digits of a SHA-256.
    """
    files, packages = files_run(root / "stages" / f"{stage}.py", root)
    lines = [f"{name} {_digest(root / name)}" for name in sorted(files)]
    pins = _pins(root / PINS, packages)
    lines += sorted(f"{name}=={pins[name]}" for name in packages)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@cache
def code_version() -> str:
    """Name the code that runs are trained with here: its digest and what torch and NumPy are used.

    Equal versions give equal runs on machines of one kind. The files are read at the first call of
    a process: make it before they may change.
    """
    return version_of(stage_digest("train"))


def version_of(digest: str) -> str:
    """Add the versions of the packages in use to the digest of the stage `train`."""
    return f"{digest}, torch {version('torch')}, numpy {version('numpy')}"


def read_code() -> dict[str, str]:
    """Read the digests that the stage `code` wrote.

    Raises:
        StudyError: the file is missing or damaged.
    """
    try:
        digests: dict[str, str] = json.loads(CODE.read_text(encoding="utf-8"))
        return {name: str(digest) for name, digest in digests.items()}
    except FileNotFoundError as error:
        raise FileError(CODE) from error
    except (ValueError, AttributeError) as error:
        raise FileError(CODE, error) from error


def files_run(start: Path, root: Path = ROOT) -> tuple[set[str], set[str]]:
    """Follow the imports of a file, and add what code in its packages may read.

    Args:
        start: a Python file below ``root``.
        root: the folder that holds the packages of the project.

    Returns:
        The files of the project, relative to ``root`` and with ``/``; the names by which packages
        of `DECIDING` are pinned.
    """
    reached, packages = code_run(start, root, PACKAGES)
    folders = {file.parent for file in reached}
    beside = {path for folder in folders for path in _data_files(folder)}
    return {path.relative_to(root).as_posix() for path in reached | beside}, packages


def code_run(start: Path, root: Path, among: Collection[str] = ()) -> tuple[set[Path], set[str]]:
    """Follow the imports of a file to the Python files below ``root``, itself one of them.

    Args:
        start: the file.
        root: a folder of packages and modules.
        among: the packages that are followed, if not all of them.

    Returns:
        These files; the names by which packages of `DECIDING` are pinned.

    Raises:
        StudyError: an import is relative.
        SyntaxError, UnicodeDecodeError: a file is not Python.
    """
    reached, names, waiting = set[Path](), set[str](), [start]
    while waiting:
        file = waiting.pop()
        if file in reached:
            continue
        reached.add(file)
        for name in imports_of(file.read_text(encoding="utf-8"), str(file)):
            if name not in names and (not among or name.split(".")[0] in among):
                waiting += _project_files(name, root)
            names.add(name)
    packages = {name.split(".")[0] for name in names} & DECIDING.keys()
    return reached, {DECIDING[package] for package in packages}


def code_digest(start: Path, root: Path) -> str:
    """Digest the Python code below ``root`` that a file runs, by meaning, as `stage_digest` does.

    Raises:
        StudyError, SyntaxError, UnicodeDecodeError: as of `code_run`.
    """
    files = sorted((path.relative_to(root).as_posix(), path) for path in code_run(start, root)[0])
    lines = [f"{name} {_digest(path)}" for name, path in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _digest(file: Path) -> str:
    content = file.read_bytes()
    if file.suffix == ".py":
        content = meaning(content.decode(), str(file)).encode()
    return hashlib.sha256(content).hexdigest()


def _project_files(name: str, root: Path) -> Iterator[Path]:
    """Find the module ``name``, or the one that has it as an attribute, and the packages around."""
    parts = name.split(".")
    place = str(root)  # strings, as the names of all stages' imports are thousands
    for depth, part in enumerate(parts, start=1):
        place = f"{place}/{part}"
        init, file = f"{place}/__init__.py", f"{place}.py"
        if depth == 1 and not (isdir(place) or isfile(file)):
            return
        module = ".".join(parts[:depth])
        if {module, f"{module}.__init__"} & CANNOT_CHANGE_RESULTS.keys():
            if isfile(file):
                return
            continue
        yield from (Path(path) for path in (init, file) if isfile(path))


def _data_files(folder: Path) -> Iterator[Path]:
    """Find what code of a package may read: files that are no code, not those of other packages."""
    for path in folder.iterdir():
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from _data_files(path)
        elif path.is_file() and path.suffix not in (".py", ".pyc"):
            yield path


def _pins(path: Path, packages: Collection[str]) -> dict[str, str]:
    """Read the pinned versions; where the code is installed and nothing pins, those in use."""
    if not path.exists():
        return {name: version(name) for name in packages}
    text = path.read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text.lower(), flags=re.MULTILINE))
