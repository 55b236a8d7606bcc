"""Commands and sources are named from the folder with the code, wherever the study lies."""

from pathlib import Path

import pytest

from study.place import OTHERS, ROOT, beside_code, from_code, other_study, study_folder


def test_study_beside_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert study_folder() == ""
    assert from_code("dvc repro") == "dvc repro"
    assert beside_code("stages") == "stages"


def test_study_below_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "full/metrics")
    assert study_folder() == "full/metrics"
    assert from_code("dvc repro") == "cd full/metrics && dvc repro"
    assert beside_code("stages") == "../../stages"


def test_study_elsewhere_is_named_by_no_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert study_folder() == ""
    assert from_code("dvc repro") == "dvc repro"


def test_studies_of_the_project_link_to_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, other in (("", "full"), ("full", "")):
        monkeypatch.chdir(ROOT / folder)
        found = other_study()
        assert found == OTHERS[folder]
        assert (
            ROOT / folder / "report" / found.page
        ).resolve() == ROOT / other / "report/index.html"
        assert f"\n{found.command.removeprefix('make ')}: " in (ROOT / "Makefile").read_text()
    monkeypatch.chdir(tmp_path)
    assert other_study() is None
