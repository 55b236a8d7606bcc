"""The version of the code follows the sources that decide a run's bytes, and no others."""

import shutil
from pathlib import Path

import pytest

from mixup.study.training import version
from mixup.study.training.version import code_version

ROOT = Path(__file__).parents[3]


def test_code_version_follows_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "mixup", tmp_path / "mixup")
    monkeypatch.setattr(version, "PACKAGE", tmp_path / "mixup")

    def now() -> str:
        code_version.cache_clear()
        return code_version()

    before = now()
    for name in ("mixing/plan.py", "models/mlp.py", "training/trainer.py", "data/dataset.py"):
        file = tmp_path / "mixup" / name
        text = file.read_text()
        file.write_text(text + "\n")
        assert now() != before, name
        file.write_text(text)
    (tmp_path / "mixup/study/report/page.py").write_text("")
    (tmp_path / "mixup/study/training/notes.txt").write_text("")
    assert now() == before
    (tmp_path / "mixup/study/training/more.py").write_text("")
    assert now() != before
    code_version.cache_clear()
