"""The project's commands, called in the test's process: a process for each would take seconds."""

import io
import runpy
import signal
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = sorted(
    f"{path.parent.name}.{path.stem}"
    for folder in ("stages", "tools")
    for path in (ROOT / folder).glob("*.py")
    if "\n    run(" in (text := path.read_text()) and "parse_known_args" not in text
)
"""The modules of those that hand no words on to DVC, as in `python -m MODULE`."""


def call(module: str, *words: str) -> tuple[int, str]:
    """Run a command as `python -m MODULE WORDS` does; give its status and what is on stderr."""
    done = completed(module, *words)
    return done.returncode, done.stderr


def completed(module: str, *words: str) -> CompletedProcess[str]:
    """Run a command as `python -m MODULE WORDS` does; give all that comes of it."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace")
    before = signal.getsignal(signal.SIGTERM)
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(out),
        redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", ".*found in sys.modules", RuntimeWarning)
        patch.setattr(sys, "argv", [module, *words])
        status = 0
        try:
            runpy.run_module(module, run_name="__main__")
        except SystemExit as stopped:
            status = int(stopped.code or 0)
        finally:
            signal.signal(signal.SIGTERM, before)
    for stream in (out, err):
        stream.seek(0)
    return CompletedProcess([module, *words], status, out.read(), err.read())
