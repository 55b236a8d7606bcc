"""Whatever is wrong with the disk, a stage says it in a line, loses nothing, can be run again."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest

from tests.commands import call

RUN = "wide manifold 1"
WRITES = {
    f"train {RUN}": "runs/wide/manifold",
    "summarize": "metrics",
    "generate_spirals": "data",
    "embed_bottleneck": "metrics",
    "claims": "metrics",
    "report": "report",
}
"""A stage for each way of writing, and a folder that it writes to; others write tables alone."""

WRITES_ANYWHERE = 0b110
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH among the capabilities of root."""

pytestmark = pytest.mark.slow


def run(stage: str) -> tuple[int, str]:
    """Run a stage; give its status and its stderr."""
    module, *words = f"stages.{stage}".split()
    return call(module, *words)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder but the record of the time that runs took."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if not path.relative_to(folder).is_relative_to("timings")
    }


def root(*command: str) -> None:
    """Run a command that needs root, or skip."""
    if not shutil.which(command[0]):
        pytest.skip(f"there is no {command[0]} here")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"not allowed here: {done.stderr.strip()}")


@pytest.fixture(autouse=True, scope="module")
def mounts_of_its_own() -> None:
    """Let what is mounted here be seen by this process alone, and vanish with it."""
    new_namespace = 0x00020000  # CLONE_NEWNS; Python has os.unshare from 3.12 on
    if sys.platform == "linux" and ctypes.CDLL(None).unshare(new_namespace) == 0:
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Let the folder be a disk of its own without a free byte."""
    aside = folder.with_name(f"{folder.name}-aside")
    folder.mkdir(exist_ok=True)
    shutil.copytree(folder, aside)
    root("mount", "-t", "tmpfs", "-o", "size=8m", "full", str(folder))
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        with (folder / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass
        yield
        (folder / "filler").unlink()
        assert contents(folder) == contents(aside)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    root("mount", "--bind", str(folder), str(folder))
    try:
        root("mount", "-o", "remount,ro,bind", str(folder))
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def not_permitted(folder: Path) -> Iterator[None]:
    """Take the permission to write; root has it anyhow, unless this thread lays that power down."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o555)
    before = capabilities()
    try:
        capabilities([before[0] & ~WRITES_ANYWHERE, *before[1:]])
        yield
    finally:
        capabilities(before)
        folder.chmod(0o755)


def capabilities(new: list[int] | None = None) -> list[int]:
    """Give, or set, what this thread may do: three words of bits, twice. See capset(2)."""
    words = (ctypes.c_uint32 * 6)(*(new or ()))
    version_3_of_this_thread = (ctypes.c_uint32 * 2)(0x20080522, 0)
    if sys.platform == "linux":
        system = ctypes.CDLL(None, use_errno=True)
        done = (system.capset if new else system.capget)(version_3_of_this_thread, words)
        assert done == 0, os.strerror(ctypes.get_errno())
    return list(words)


@contextmanager
def a_file(folder: Path) -> Iterator[None]:
    """Let a file be where the folder should be."""
    aside = folder.with_name(f"{folder.name}-aside")
    if folder.exists():
        folder.rename(aside)
    folder.write_text("mine")
    yield
    assert folder.read_text() == "mine"
    folder.unlink()
    if aside.exists():
        aside.rename(folder)


FAULTS: dict[Callable[[Path], object], str] = {
    full: "no space is left on the disk",
    read_only: "the disk is read-only",
    not_permitted: "permission denied",
    a_file: "a file is where a folder should be",
}


# All faults for a stage that writes folders and for one that writes files; one for the others.
CASES = [*product(list(WRITES)[:2], FAULTS), *product(list(WRITES)[2:], (full,))]


@pytest.mark.parametrize(
    ("stage", "fault"), CASES, ids=[f"{s.split()[0]}-{fault.__name__}" for s, fault in CASES]
)
def test_a_stage_tells_of_a_bad_disk_and_loses_nothing(
    stage: str, fault: Callable[..., Iterator[None]], study: Path
) -> None:
    written = WRITES[stage]
    folder = study / written
    if not shutil.which("mount") and fault in (full, read_only):
        pytest.skip("there is no mount here")
    with fault(folder):
        before = contents(study)
        status, said = run(stage)
        assert said.startswith("error: ")
        assert said.endswith(f": {FAULTS[fault]}\n")
        assert said.count("\n") == 1
        assert written in said
        assert status == 1
        assert contents(study) == before
    assert run(stage) == (0, "")
    assert not list(study.rglob(".*.tmp"))
