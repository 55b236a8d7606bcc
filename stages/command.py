"""Run a stage as a command: an expected error is one line on stderr and exit status 1."""

import os
import sys
import threading
import time
from collections.abc import Callable

from mixup.errors import StudyError

PARENT = os.getppid()


def run(main: Callable[[], None]) -> None:
    """Call ``main``; print a `StudyError` as one line to stderr and exit with status 1."""
    if "DVC_STAGE" in os.environ:
        threading.Thread(target=_end_with_dvc, daemon=True).start()
    try:
        main()
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


def _end_with_dvc() -> None:
    """End when DVC is killed: what it does next must not find this stage still writing."""
    while os.getppid() == PARENT:
        time.sleep(0.1)
    os._exit(1)
