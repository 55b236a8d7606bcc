"""Put aside what a killed DVC left half written: dvc.lock, and its list of locks."""

from __future__ import annotations

import json
import os
from pathlib import Path

from study.command import run
from study.pipeline import lock_file_is_damaged

LOCK_FILE = Path("dvc.lock")
WHO_IS_AT_WHAT = Path(".dvc/tmp/rwlock")
ASIDE = Path(".dvc/tmp")


def main() -> None:
    damaged = [path for path in (LOCK_FILE, WHO_IS_AT_WHAT) if is_damaged(path)]
    for path in damaged:
        ASIDE.mkdir(parents=True, exist_ok=True)
        aside = ASIDE / f"damaged-{path.name}"
        os.replace(path, aside)
        print(f"{path} was damaged and is put aside as {aside}")
    print("`dvc repro` goes on: finished runs come from DVC's cache" if damaged else "all is well")


def is_damaged(path: Path) -> bool:
    """Tell whether DVC cannot read one of its files."""
    if path == LOCK_FILE:
        return lock_file_is_damaged(path)
    try:
        return not isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
    except FileNotFoundError:
        return False
    except ValueError:
        return True


if __name__ == "__main__":
    run(main, __doc__)
