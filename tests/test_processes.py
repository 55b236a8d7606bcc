"""What a test starts ends with it: when it fails, and when the test process itself is killed."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.processes import descendants, is_alive, started, wait_until, words

ROOT = Path(__file__).parents[1]
# Starts a process in a session of its own, whose parent ends at once; tells both pids; waits.
RESTLESS = """
import os, pathlib, subprocess, sys, time
daemon = "import os, time; os.fork() and os._exit(0); os.setsid();" \
         "print(os.getpid(), flush=True); time.sleep(10000)"
first = subprocess.Popen([sys.executable, "-c", daemon], stdout=subprocess.PIPE)
print(os.getpid(), int(first.stdout.readline()), flush=True)
time.sleep(10000)
"""


def both(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Read which two processes the restless one consists of."""
    assert process.stdout is not None
    return [psutil.Process(int(pid)) for pid in process.stdout.readline().split()]


def test_all_that_was_started_ends_with_the_block_that_fails() -> None:
    command = (sys.executable, "-c", RESTLESS)
    block = started(*command, stdout=subprocess.PIPE, text=True)
    process = block.__enter__()
    found = both(process)
    assert len(found) == 2
    assert all(map(is_alive, found))
    assert not block.__exit__(ValueError, ValueError(), None)
    assert not any(map(is_alive, found))
    assert process.returncode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_all_that_was_started_ends_with_the_test_process(how: signal.Signals) -> None:
    program = (
        "import subprocess, sys\nimport tests.conftest\n"
        f"subprocess.run([sys.executable, '-c', {RESTLESS!r}])"
    )
    with started(
        *(sys.executable, "-c", program),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        found = both(process)
        assert all(map(is_alive, found))
        process.send_signal(how)
        wait_until(lambda: not any(map(is_alive, found)))


def test_processes_that_have_ended_are_looked_at() -> None:
    with started("sleep", "10000") as process:
        looked_at = psutil.Process(process.pid)
        assert is_alive(looked_at)
        wait_until(lambda: words(looked_at) == ["sleep", "10000"])
        looked_at.kill()
        wait_until(lambda: not is_alive(looked_at))  # now it is a zombie
        assert words(looked_at) == []
        process.wait()
        assert not is_alive(looked_at)
        assert words(looked_at) == descendants(process) == []


def test_a_wait_ends_with_the_process_that_it_is_for() -> None:
    with (
        started(sys.executable, "-c", "exit(3)") as process,
        pytest.raises(AssertionError, match="ended with 3 before"),
    ):
        wait_until(lambda: False, process)
