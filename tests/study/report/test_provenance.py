"""Where a page comes from: real Git repositories, and times that belong to a run or do not."""

import subprocess
from pathlib import Path

import pytest

from study.report.provenance import provenance


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return folder


def git(*arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit() -> str:
    Path("dvc.yaml").write_text("stages: {}\n")
    Path("mixup").mkdir()
    Path("mixup/code.py").write_text("x = 1\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    return git("rev-parse", "HEAD")


def test_commit_and_what_differs_from_it() -> None:
    commit_hash = commit()
    clean = provenance(("dvc.yaml", "mixup"), ())
    assert (clean.commit, clean.changed) == (commit_hash, [])
    Path("mixup/code.py").write_text("x = 2\n")
    Path("notes.txt").write_text("no source\n")
    assert provenance(("dvc.yaml", "mixup"), ()).changed == ["mixup/code.py"]


def test_folder_in_another_repository_has_no_commit(inside: Path) -> None:
    git("init", "-q", "..")
    Path("dvc.yaml").write_text("stages: {}\n")
    assert provenance(("dvc.yaml",), ()).commit == ""


def test_folder_below_its_code_names_what_differs_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("second").mkdir()
    Path("second/dvc.yaml").write_text("stages: {}\n")
    commit_hash = commit()
    Path("mixup/code.py").write_text("x = 2\n")
    monkeypatch.chdir("second")
    found = provenance(("dvc.yaml", "../mixup"), ())
    assert (found.commit, found.changed) == (commit_hash, ["mixup/code.py"])


def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance(("dvc.yaml",), ()).commit == ""


def test_versions_and_machine() -> None:
    found = provenance(("dvc.yaml",), ("numpy", "no-such-package"))
    assert list(found.versions) == ["Python", "numpy"]
    assert all(found.machine.values())
