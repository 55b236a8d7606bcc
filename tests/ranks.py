"""Two processes that train together, of which this one is the first."""

from collections.abc import Callable
from typing import Any

from torch.multiprocessing.spawn import spawn


def on_two_ranks(work: Callable[..., None], *arguments: Any) -> None:
    """Do work as rank 0, while another process does it as rank 1.

    Args:
        work: a function of a module, given the rank and the arguments.
        arguments: the same for both.
    """
    other: Any = spawn(_as_second, (work, *arguments), nprocs=1, join=False)
    try:
        work(0, *arguments)
        while not other.join():
            pass
    finally:
        for process in other.processes:
            process.kill()


def _as_second(_: int, work: Callable[..., None], *arguments: Any) -> None:
    work(1, *arguments)
