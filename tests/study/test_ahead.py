"""Runs that wait for their stages: kept whole, taken only as they were written, then forgotten."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from study.ahead import (
    CORES,
    ahead_folder,
    forget,
    is_kept,
    keep,
    recorded_code,
    run_identity,
    take,
)
from study.errors import StudyError
from study.files import SUMS, sums
from study.training.experiment import RunConfig
from tests.study.parallel.test_job import config

FILES = {"metrics.json": b"{}", "model.safetensors": b"weights"}
RUN = FILES | {SUMS: sums(FILES)}


@pytest.fixture(autouse=True)
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_run_is_taken_as_it_was_kept_and_stays_until_it_is_recorded() -> None:
    assert not take("abc", Path("runs/e/m/0"))
    keep("abc", RUN)
    for _ in range(2):
        assert take("abc", Path("runs/e/m/0"))
        assert files(Path("runs/e/m/0")) == RUN
    forget(["abc"])
    assert not is_kept("abc")
    assert files(Path("runs/e/m/0")) == RUN


def change(content: dict[str, bytes]) -> None:
    content["metrics.json"] = b"{1}"


def cut(content: dict[str, bytes]) -> None:
    content["model.safetensors"] = b"weight"


def lose(content: dict[str, bytes]) -> None:
    del content["metrics.json"]


def add(content: dict[str, bytes]) -> None:
    content["more"] = b""


def lose_sums(content: dict[str, bytes]) -> None:
    del content[SUMS]


@pytest.mark.parametrize("damage", [change, cut, lose, add, lose_sums])
def test_damage_is_noticed_on_the_way_in_and_out(
    damage: Callable[[dict[str, bytes]], None],
) -> None:
    damaged = dict(RUN)
    damage(damaged)
    with pytest.raises(StudyError):
        keep("abc", damaged)
    assert not is_kept("abc")
    keep("abc", RUN)
    for path in (ahead_folder() / "abc").iterdir():
        path.unlink()
    for name, content in damaged.items():
        (ahead_folder() / "abc" / name).write_bytes(content)
    assert not take("abc", Path("runs/e/m/0"))
    assert not Path("runs/e/m/0").exists()
    assert not is_kept("abc"), "it would be trained by its stage each time"


def test_what_nobody_has_taken_for_a_day_goes() -> None:
    for name in ("old", "new"):
        keep(name, RUN)
    (ahead_folder() / CORES).mkdir()
    long_ago = time.time() - 25 * 3600
    for name in ("old", CORES):
        os.utime(ahead_folder() / name, (long_ago, long_ago))
    forget([])
    assert {path.name for path in ahead_folder().iterdir()} == {"new", CORES}


def test_experiments_share_the_folder_of_their_study(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("abc", RUN)
    elsewhere = study / ".dvc/tmp/exps/standalone/tmpxyz"
    elsewhere.mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    assert ahead_folder() == study / "ahead"
    assert take("abc", Path("runs/e/m/0"))


def of(data: bytes, code: str = "code", **changes: Any) -> str:
    Path("data.npz").write_bytes(data)
    one: RunConfig = config().model_copy(update=changes)
    os.utime("data.npz", ns=(0, int.from_bytes(data)))
    return run_identity(one, Path("data.npz"), code)


def test_identity_is_of_all_that_decides_the_bytes() -> None:
    mine = of(b"a")
    assert of(b"a") == mine
    others = {
        of(b"b"),
        of(b"a", "other"),
        of(b"a", seed=1),
        of(b"a", alpha=0.4),
        of(b"a", threads=2),
    }
    assert len(others | {mine}) == 6


def test_code_without_the_trainers_digest_is_damage() -> None:
    Path("code.json").write_text(json.dumps({"train": "12"}))
    assert recorded_code().startswith("12, torch ")
    Path("code.json").write_text(json.dumps({"plots": "12"}))
    with pytest.raises(StudyError, match=r"code\.json is damaged"):
        recorded_code()
