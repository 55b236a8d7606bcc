"""What becomes of runs that workers have trained; tests/pipeline trains them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stages.train_ahead import keep_run
from study.ahead import ahead_folder, is_kept
from study.files import SUMS, sums
from study.parallel.job import FailedRun, FinishedRun
from study.paths import CHECKPOINTS, RunKey, checkpoint_path, run_folder
from study.timings import training_seconds
from study.training.record import write_run

KEY = RunKey("e", "m", 0)
FILES = {"model.safetensors": b"weights"}
RUN = FinishedRun(FILES | {SUMS: sums(FILES)}, 2.5)


@pytest.fixture(autouse=True)
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_that_is_kept_needs_no_checkpoint_and_has_its_time() -> None:
    mine, another = (checkpoint_path(key) for key in (KEY, KEY._replace(seed=1)))
    for file in (mine, another):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert keep_run(KEY, RUN, {KEY: "abc"}) == RUN
    assert is_kept("abc")
    assert [path for path in CHECKPOINTS.rglob("*") if path.is_file()] == [another]
    write_run(run_folder(KEY), dict(RUN.files))
    assert training_seconds([KEY]) == {KEY: 2.5}


def no_folder() -> FinishedRun:
    ahead_folder().write_text("a file is in the way")
    return RUN


def damaged_on_its_way() -> FinishedRun:
    return FinishedRun(RUN.files | {"model.safetensors": b"weight"}, 2.5)


@pytest.mark.parametrize("fault", [no_folder, damaged_on_its_way])
def test_a_run_that_cannot_be_kept_fails_and_the_others_go_on(
    fault: Callable[[], FinishedRun],
) -> None:
    checkpoint_path(KEY).parent.mkdir(parents=True)
    checkpoint_path(KEY).touch()
    outcome = keep_run(KEY, fault(), {KEY: "abc"})
    assert isinstance(outcome, FailedRun)
    assert not is_kept("abc")
    assert checkpoint_path(KEY).exists()
