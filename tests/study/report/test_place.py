"""Commands and sources are named from the folder with the code, wherever the study lies."""

from pathlib import Path

import pytest

from study.report.place import ROOT, beside_code, from_code, study_folder


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
