"""Run a stage as a command: an expected error is one line on stderr and exit status 1."""

import sys
from collections.abc import Callable

from mixup.errors import StudyError


def run(main: Callable[[], None]) -> None:
    """Call ``main``; print a `StudyError` as one line to stderr and exit with status 1."""
    try:
        main()
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
