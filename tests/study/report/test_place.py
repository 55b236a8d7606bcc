"""Commands and sources are named from the folder with the code, wherever the study lies."""

from pathlib import Path

import pytest

from study.report.place import beside_code, from_code, study_folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with its own study and one below it that has the code as a link."""
    (tmp_path / "code/mixup").mkdir(parents=True)
    (tmp_path / "code/studies/second").mkdir(parents=True)
    (tmp_path / "code/studies/second/mixup").symlink_to("../../mixup")
    return tmp_path / "code"


def test_study_beside_its_code(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    assert study_folder() == ""
    assert from_code("dvc repro") == "dvc repro"
    assert beside_code("stages") == "stages"


def test_study_below_its_code(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "studies/second")
    assert study_folder() == "studies/second"
    assert from_code("dvc repro") == "cd studies/second && dvc repro"
    assert beside_code("stages") == "../../stages"


def test_study_elsewhere_is_named_by_no_path(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/mixup").symlink_to(project / "mixup")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert study_folder() == ""
    assert from_code("dvc repro") == "dvc repro"
