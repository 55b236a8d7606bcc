"""Processes that tests start: each ends with its test, whatever happens.

Whatever a test starts carries a mark in its environment, and so does all that this starts. So they
are found even where their parents are gone and they have left the session.
"""

import os
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

MARK = "MIXUP_TESTS"
PATIENCE = 900
"""Seconds after which a wait is given up. Only what hangs for ever takes so long."""


@contextmanager
def started(*command: str | Path, **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Run a command for as long as the block takes; then kill it and all that it started.

    Args:
        command: the words.
        options: as of `subprocess.Popen`.
    """
    mark = f"{os.environ.get(MARK, '')}/{uuid.uuid4().hex}"
    options["env"] = {**(options.get("env") or os.environ), MARK: mark}
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            end(mark)
            process.kill()


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process runs. One that has ended may wait to be cleared away by its parent."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def descendants(process: subprocess.Popen[Any]) -> list[psutil.Process]:
    """List all that a process has started, of which none is alive if the process itself is not."""
    try:
        found: list[psutil.Process] = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found


def listens_at(process: subprocess.Popen[Any]) -> list[str]:
    """List the addresses at which a process and those that it started listen."""
    family = psutil.Process(process.pid)
    return [
        connection.laddr.ip
        for member in (family, *family.children(recursive=True))
        for connection in member.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]


def words(process: psutil.Process) -> list[str]:
    """Give the command line of a process, empty if it has ended."""
    try:
        found: list[str] = process.cmdline()
    except psutil.NoSuchProcess:
        return []
    return found


def parent_id(process: psutil.Process) -> int | None:
    """Give the number of the process that started one, none if it has ended."""
    try:
        found: int = process.ppid()
    except psutil.NoSuchProcess:
        return None
    return found


def pages_for_an_array(n_bytes: int = 1 << 26) -> int:
    """Count the pages that the system brings this process for an array, which is given back."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    assert len(b"x" * n_bytes) == n_bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def wait_until(
    condition: Callable[[], object], *processes: subprocess.Popen[Any], pause: float = 0.1
) -> None:
    """Wait for what other processes bring about; fail if one of those named ends before.

    Args:
        condition: to look at every ``pause`` seconds; longer where a look is costly.
    """
    give_up = time.monotonic() + PATIENCE
    while True:
        ended = [process for process in processes if process.poll() is not None]
        if condition():
            return
        assert not ended, f"{ended[0].args!r} ended with {ended[0].returncode} before"
        assert time.monotonic() < give_up, "it did not come about"
        time.sleep(pause)


def end(mark: str) -> None:
    """Kill every other process that carries a mark, and wait until they are gone."""
    while found := [process for process in psutil.process_iter() if carries(process, mark)]:
        for process in found:
            with suppress(psutil.NoSuchProcess):
                # a child that just comes about has no environment yet
                for one in (*process.children(recursive=True), process):
                    with suppress(psutil.NoSuchProcess):
                        one.kill()
        time.sleep(0.01)


def carries(process: psutil.Process, mark: str) -> bool:
    """Tell whether a process that is alive carries a mark."""
    try:
        carried: str = process.environ().get(MARK, "")
    except (psutil.Error, OSError):
        return False
    return process.pid != os.getpid() and carried.startswith(mark)


def guard() -> None:
    """See to it that all that this process starts ends with it, even if it is killed itself."""
    os.environ[MARK] = f"{os.environ.get(MARK, '')}/{uuid.uuid4().hex}"
    words = [sys.executable, __file__, str(os.getpid()), os.environ[MARK]]
    os.spawnv(os.P_NOWAIT, sys.executable, words)


if __name__ == "__main__":
    os.setsid()  # an interrupt by hand is for the tests
    while os.getppid() == int(sys.argv[1]):  # whoever is orphaned gets another parent
        time.sleep(0.1)
    end(sys.argv[2])
