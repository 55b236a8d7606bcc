"""Train on the cores of this machine, in worker processes that stay warm from run to run."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import forkserver
from multiprocessing.connection import wait as wait_for_exit
from multiprocessing.context import BaseContext
from pathlib import Path

from filelock import FileLock, Timeout

from study.parallel.job import Job, Outcome, do_job, outcomes_of

TICK = 0.5
"""Seconds between two looks at what is under way."""

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Names of settings of glibc's malloc, as of its malloc.h."""

IMPORTED_ONCE = ["study.pipeline", "study.training.cohort", "torch._dynamo"]
"""What workers need and take seconds to import, the last as soon as they make an optimiser."""

UnderWay = Callable[[list[Job]], None]


class LocalPool:
    """Worker processes on this machine.

    Each is an executor of its own with one process: a worker that dies, killed or out of memory,
    takes only its own run with it, where a common pool would break as a whole. Where they can be
    forked from one process that has done their imports, they share these and their memory. They end
    when this process ends, however it ends.

    Args:
        jobs: number of worker processes, > 0.
        cores: a folder; of all pools that name it no more workers train at a time than the
            machine has room for.
        n_cores: how many that are.
    """

    def __init__(self, jobs: int, cores: Path, n_cores: int) -> None:
        self._share = (cores, n_cores)
        self._context = _context()
        self._idle = [self._worker() for _ in range(jobs)]
        self._working: dict[Future[list[Outcome]], tuple[Job, ProcessPoolExecutor]] = {}
        self.about = f"{jobs} worker process{'es' * (jobs > 1)}"

    def _worker(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, mp_context=self._context, initializer=_start_worker)

    def outcomes(
        self, jobs: Sequence[Job], under_way: UnderWay
    ) -> Iterator[tuple[Job, list[Outcome]]]:
        """Do ``jobs`` and yield each with what became of its runs, in the order they end.

        Args:
            jobs: started in this order.
            under_way: called now and then with the jobs that workers are at.
        """
        waiting, working = deque(jobs), self._working
        self._start(waiting)
        while working:
            under_way([job for job, _ in working.values()])
            done, _ = wait(working, timeout=TICK, return_when=FIRST_COMPLETED)
            ended = [(future, *working.pop(future)) for future in done]
            for future, _, worker in ended:
                broken = isinstance(future.exception(), BrokenExecutor)
                self._idle.append(self._worker() if broken else worker)
            self._start(waiting)  # before what ended is looked at, so that no core waits
            for future, job, _ in ended:
                yield job, outcomes_of(job, future)

    def _start(self, waiting: deque[Job]) -> None:
        while waiting and self._idle:
            job, worker = waiting.popleft(), self._idle.pop()
            self._working[worker.submit(_do_on_a_core, job, *self._share)] = (job, worker)

    def close(self) -> None:
        """End the workers, whatever they are at."""
        if self._working:
            for process in multiprocessing.active_children():
                process.terminate()
        for worker in [*self._idle, *(worker for _, worker in self._working.values())]:
            worker.shutdown()


def _context() -> BaseContext:
    # Not on macOS, as in Python 3.14: its libraries may not be forked once they are loaded.
    if sys.platform == "linux":
        # Whoever forks is spoken to by a socket, and not every temporary folder may have one: the
        # path may be too long, or the file system has none.
        with suppress(OSError):
            forkserver.set_forkserver_preload(IMPORTED_ONCE)
            forkserver.ensure_running()
            return multiprocessing.get_context("forkserver")
    return multiprocessing.get_context("spawn")


def _do_on_a_core(job: Job, cores: Path, n_cores: int) -> list[Outcome]:
    with one_core(cores, n_cores):
        return do_job(job)


def _start_worker() -> None:
    # A terminal's Ctrl-C reaches workers too: they end at once, without a traceback each.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _keep_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _keep_memory() -> None:
    """Keep memory for the next step: a net of images needs so much that paging it in takes longer.

    Where the C library is another than glibc, it goes by its own rules.
    """
    with suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)  # never


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, killed for instance."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_exit([parent.sentinel])
        os._exit(1)


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
