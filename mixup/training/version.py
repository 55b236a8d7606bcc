"""The version of the code that trains."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
TRAINING_CODE = ("data/dataset.py", "mixing", "models", "training")


@cache
def code_version() -> str:
    """Hash what decides the bytes of a run beside its configuration and data.

    Returns:
        SHA-256, in hexadecimal, of the sources that training uses and of the versions of torch
        and numpy.
    """
    digest = hashlib.sha256(f"torch {version('torch')} numpy {version('numpy')}".encode())
    for place in TRAINING_CODE:
        path = PACKAGE / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(PACKAGE).as_posix().encode() + b"\0")
            digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()
