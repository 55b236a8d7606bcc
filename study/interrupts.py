"""How a command begins: Ctrl-C ends its imports without a traceback, and they are made fast."""

import gc
import os
import signal
import sys

INTERRUPTED = 130
NEW_OBJECTS = 50_000
"""The garbage collector begins its search whenever there are so many more."""


def begin() -> None:
    """Prepare this process, if it is ``python -m`` that looks for a command: interrupts end it.

    A package of commands calls it, which is imported before the command and all that this needs. As
    what is imported stays, the garbage collector looks through it less often, which takes up to a
    fifth off a short stage.
    """
    if sys.argv[0] != "-m":
        return
    gc.set_threshold(NEW_OBJECTS, 20, 20)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_again() -> None:
    """Let interrupts raise KeyboardInterrupt: the command has begun, and knows what to do."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(*_: object) -> None:
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)
