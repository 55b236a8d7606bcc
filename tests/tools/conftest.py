"""The repository of results that the commands are tried on."""

from pathlib import Path

import pytest

from tests.stages.conftest import results

__all__ = ["results"]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that counts as the one of the code."""
    monkeypatch.setattr("study.new_study.folder.ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path
