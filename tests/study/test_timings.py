"""How long a run took is kept beside it, tied to the net that came of it."""

import hashlib
import json
from pathlib import Path

import pytest
from mixup.study.training.timing import keep_time

from mixup.study.training.config import RunKey


def test_time_is_kept_with_the_hash_of_the_net(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    net = Path("runs/e/m/3/model.safetensors")
    net.parent.mkdir(parents=True)
    net.write_bytes(b"weights")
    keep_time(RunKey("e", "m", 3), 12.345)
    assert json.loads(Path("timings/e/m/3.json").read_text()) == {
        "seconds": 12.3,
        "sha256": hashlib.sha256(b"weights").hexdigest(),
    }
