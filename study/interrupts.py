"""Ctrl-C while a command is still importing: it ends as one that has begun, without a traceback."""

import os
import signal
import sys

INTERRUPTED = 130


def end_at_once() -> None:
    """Let an interrupt end this process, if it is ``python -m`` that looks for a command.

    A package of commands calls it, which is imported before the command and all that this needs.
    """
    is_command = sys.argv[0] == "-m"
    if is_command and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_again() -> None:
    """Let interrupts raise KeyboardInterrupt: the command has begun, and knows what to do."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(*_: object) -> None:
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)
