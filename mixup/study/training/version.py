"""Which code a run is computed with."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
SOURCES = ("mixing", "models", "training", "data/dataset.py")


@cache
def code_version() -> str:
    """Hash the sources that decide a run's bytes, and the versions of torch and NumPy.

    Equal versions give equal runs on machines of one kind. The files are read at the first call of
    a process: make it before they may change.

    Returns:
        A SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256(f"torch {version('torch')}, numpy {version('numpy')}".encode())
    for source in SOURCES:
        path = PACKAGE / source
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"\n{content} {file.relative_to(PACKAGE).as_posix()}".encode())
    return digest.hexdigest()
