"""Workers on this machine."""

import platform
from pathlib import Path

import pytest

from study.parallel.local import LocalPool
from tests.processes import pages_for_an_array


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc's malloc")
def test_a_worker_keeps_memory_for_the_next_step(tmp_path: Path) -> None:
    pool = LocalPool(1, tmp_path / "cores", 1)
    (worker,) = pool._idle
    try:
        first, second = (worker.submit(pages_for_an_array).result() for _ in range(2))
    finally:
        pool.close()
    assert second < first / 10, (first, second)
