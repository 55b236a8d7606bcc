"""What holds for all tests, and a browser."""

import gc
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from multiprocessing.util import get_temp_dir
from pathlib import Path

import pytest
import yaml
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from tests.processes import guard

BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)

# Of tests/pipeline. While the third makes what many share, another process is busy with the fourth
# and the fifth, which do without.
LONGEST = (
    "test_full",
    "test_own_study",
    "test_code",
    "test_cluster",
    "test_installed",
    "test_train_ahead",
    "test_kill",
)

SLOW = re.compile(r"^pytestmark = (\[\s*)?pytest\.mark\.slow\b", re.MULTILINE)

# Until all tests are imported, there is next to nothing to collect.
gc.disable()

# Small tensors gain nothing from more threads, here and in the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# An interrupt must reach the processes that tests start, and they would ignore it as whoever starts
# the tests does: pytest-xdist, or a shell in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Whatever becomes of this process, those that it starts end with it.
guard()

# A busy machine is no failure. Under CI, hypothesis also tries the same examples every time. Every
# run of the tests tries others, so few at a time will do.
usual = settings.get_profile(settings.get_current_profile_name())
settings.register_profile(
    "patient", parent=usual, deadline=None, max_examples=min(40, usual.max_examples)
)
settings.load_profile("patient")

# Params that are written here share parts, and params.yaml may have no anchors.
yaml.SafeDumper.ignore_aliases = lambda *_: True


@pytest.fixture(scope="session", autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let what programs leave in the temporary folder be found and deleted with pytest's own."""
    get_temp_dir()  # of multiprocessing, which deletes it after pytest's are gone
    tempfile.tempdir = os.environ["TMPDIR"] = str(tmp_path_factory.mktemp("t"))


def pytest_collection_finish() -> None:
    """Spare the garbage collector all that was imported, which it would look through again."""
    gc.enable()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only fast tests are wanted, import no file without one: imports alone take seconds."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return bool(SLOW.search(collection_path.read_text(encoding="utf-8"))) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process is left with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(
        key=lambda item: (
            *("tests/pipeline/" not in item.nodeid, order.get(item.path.stem, len(order))),
            item.path not in slow,
        )
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the Chromium or Chrome that is installed, or say that none is."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser is installed, looked for {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield started
        started.close()
