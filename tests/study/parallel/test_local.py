"""Workers on this machine."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from study.parallel.local import LocalPool, one_core
from tests.processes import pages_for_an_array

ROOT = Path(__file__).parents[3]


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


TRAIN_NOTHING = """
from pathlib import Path

from study.parallel.local import LocalPool

if __name__ == "__main__":
    pool = LocalPool(1, Path("cores"), 1)
    print(pool._idle[0].submit(len, "four").result())
    pool.close()
"""


@pytest.mark.slow
def test_a_temporary_folder_may_have_a_long_name(tmp_path: Path) -> None:
    temporary = tmp_path / ("long" * 30)
    temporary.mkdir()
    (tmp_path / "command.py").write_text(TRAIN_NOTHING)
    done = subprocess.run(
        [sys.executable, "command.py"],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("4\n", "")


class WaitsError(Exception):
    """Somebody waits for a core."""


def test_no_more_train_at_a_time_than_there_are_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(_seconds: float) -> None:
        raise WaitsError

    monkeypatch.setattr("study.parallel.local.time.sleep", wait)
    with one_core(tmp_path, 2), one_core(tmp_path, 2):
        with pytest.raises(WaitsError), one_core(tmp_path, 2):
            pass
        with one_core(tmp_path / "of another study", 2):
            pass
    with one_core(tmp_path, 2):
        pass
