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

    A package of commands calls it, which is imported before the command and all that this needs.
    Imports leave nothing to collect, and pydantic need not look through all packages for plugins:
    together this is up to a fifth of a short stage.
    """
    if sys.argv[0] != "-m":
        return
    gc.disable()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def begun() -> None:
    """Let interrupts raise KeyboardInterrupt: the command has begun, and knows what to do.

    What was imported stays, so that the garbage collector leaves it out, at the end, too.
    """
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 20)
    gc.enable()
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(*_: object) -> None:
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)
