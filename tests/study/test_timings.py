"""How long a run took is kept beside it, tied to the net that came of it."""

import hashlib
import json
from pathlib import Path

import pytest

from study.paths import RunKey, run_folder
from study.timings import keep_time, training_seconds

KEY = RunKey("e", "m", 3)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_time_is_kept_with_the_hash_of_the_net() -> None:
    keep_time(KEY, 12.345, b"weights")
    assert json.loads(Path("timings/e/m/3.json").read_text()) == {
        "seconds": 12.3,
        "sha256": hashlib.sha256(b"weights").hexdigest(),
    }


def test_time_counts_only_for_the_net_that_it_was_taken_of() -> None:
    assert training_seconds([KEY]) == {}
    keep_time(KEY, 12.5, b"net")
    assert training_seconds([KEY]) == {}
    run_folder(KEY).mkdir(parents=True)
    (run_folder(KEY) / "model.safetensors").write_bytes(b"net")
    assert training_seconds([KEY]) == {KEY: 12.5}
    keep_time(KEY, 12.5, b"another net")
    assert training_seconds([KEY]) == {}


@pytest.mark.parametrize("text", ["", "[]", '{"seconds": "soon", "sha256": "%s"}', "{}"])
def test_a_damaged_time_is_none(text: str) -> None:
    run_folder(KEY).mkdir(parents=True)
    (run_folder(KEY) / "model.safetensors").write_bytes(b"net")
    keep_time(KEY, 1.0, b"net")
    digest = hashlib.sha256(b"net").hexdigest()
    Path("timings/e/m/3.json").write_text(text.replace("%s", digest))
    assert training_seconds([KEY]) == {}
