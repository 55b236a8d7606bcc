"""Run a stage or a tool as a command: an error is a line on stderr, and the exit status says so."""

import argparse
import errno
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from study.errors import FileError, StudyError
from study.interrupts import INTERRUPTED, begun

DEBUG = "MIXUP_DEBUG"
IN_PLAIN_WORDS = {
    errno.ENOSPC: "no space is left on the disk",
    errno.EDQUOT: "no space is left in the quota",
    errno.EACCES: "permission denied",
    errno.EROFS: "the disk is read-only",
    errno.EEXIST: "a file is where a folder should be",
    errno.ENOTDIR: "a file is where a folder should be",
    errno.EISDIR: "a folder is where a file should be",
    errno.EMFILE: "too many files are open",
}


def run(main: Callable[[], None], about: str | None = None) -> None:
    """Call ``main`` and exit: 0 if it succeeded, 1 after an error, 130 after an interrupt.

    An error is one line on stderr; with the environment variable ``MIXUP_DEBUG=1`` its traceback
    follows. Wrong words on the command line exit with 2.

    Args:
        main: does the work, and reads the command line if it takes words.
        about: what the command does, of one that takes none.
    """
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec and "-m" in sys.orig_argv and sys.argv[0].endswith(".py"):  # usage is what one types
        sys.argv[0] = f"python -m {spec.name}"
    if about:
        argparse.ArgumentParser(description=about).parse_args()
    if "DVC_STAGE" in os.environ:
        threading.Thread(target=_end_with_dvc, daemon=True).start()
    try:
        begun()
        main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        again = ": run the command again, and it goes on" if "DVC_STAGE" in os.environ else ""
        _stop(f"interrupted{again}", INTERRUPTED)
    except BrokenPipeError:  # whoever read the output has stopped: `... | head`
        _stop("", 1)
    except Exception as error:
        # The names of files may hold whatever breaks a line.
        _stop(f"error: {' '.join(_in_one_line(error).splitlines())}", 1)


def _end_with_dvc() -> None:
    """End when DVC is killed: what it does next must not find this stage still writing."""
    stage = psutil.Process()
    dvc = next((process for process in stage.parents() if not _is_of_a_stage(process)), None)
    while dvc in stage.parents():
        time.sleep(0.1)
    os._exit(1)


def _is_of_a_stage(process: psutil.Process) -> bool:
    """Tell whether a process is, as the shell that DVC may start a stage with, a part of it."""
    try:
        return "DVC_STAGE" in process.environ()
    except psutil.Error:
        return False


def _in_one_line(error: Exception) -> str:
    if isinstance(error, FileError):
        return f"{error}{_by_stage(error.path)}"
    if isinstance(error, StudyError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"not enough memory ({_flat(error)})"
    if isinstance(error, OSError) and error.strerror:
        reason = IN_PLAIN_WORDS.get(error.errno or 0, error.strerror)
        files = [str(file) for file in (error.filename, error.filename2) if file is not None]
        return f"{' to '.join(files)}: {reason}" if files else reason
    hint = "" if os.environ.get(DEBUG) else f" (set {DEBUG}=1 for the traceback)"
    return f"{type(error).__name__}: {_flat(error)}{hint}"


def _by_stage(path: Path) -> str:
    """Name the stage that makes a file, if DVC knows one."""
    from study.pipeline import (
        makers_of,  # DVC takes half a second, and only an error needs it
    )

    stages = makers_of(path)
    return f" (its stage alone: `dvc repro -s {' '.join(stages)}`)" if stages else ""


def _flat(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) < 500 else f"{text[:500]}..."


def _stop(line: str, status: int) -> None:
    if line:
        print(line, file=sys.stderr)
    if os.environ.get(DEBUG):
        traceback.print_exc()
    try:
        sys.stdout.flush()
    except OSError:
        # What could not be written is not tried again at exit, which would print a traceback.
        with suppress(OSError):
            sys.stdout.close()
    sys.exit(status)
