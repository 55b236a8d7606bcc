"""Share the cores of this machine among all that train at a time, such as several experiments."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

BETWEEN_LOOKS = 0.2  # seconds


@contextmanager
def one_core(folder: Path, n: int) -> Iterator[None]:
    """Wait until fewer than n blocks are under way that name the same folder, then run the block.

    A process that is killed holds nothing: the system takes its locks back.

    Args:
        folder: gets a lock file for each core.
        n: cores to share.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        while not any(_got(held, folder / f"{i}.lock") for i in range(n)):
            time.sleep(BETWEEN_LOOKS)
        yield


def _got(held: ExitStack, path: Path) -> bool:
    try:
        held.enter_context(FileLock(path, timeout=0))
    except Timeout:
        return False
    return True
