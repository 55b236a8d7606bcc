"""What users of DVC do besides `dvc repro`, on a real tiny study; docs/dvc.md has the rest."""

import shutil
from pathlib import Path

import pytest

from tests.pipeline.project import Project, stages_run, trained_ahead

pytestmark = pytest.mark.slow


def test_a_checkout_with_windows_line_ends_is_up_to_date(study: Project, tmp_path: Path) -> None:
    clone = Project(tmp_path / "clone")
    study.run("git", "-c", "core.autocrlf=true", "clone", "-q", ".", str(clone.folder))
    clone.run("dvc", "cache", "dir", "--local", str(study.folder / ".dvc/cache"))
    clone.run("dvc", "checkout", "-q")
    assert "up to date" in clone.run("dvc", "status").stdout
    clone.run("python", "-m", "stages.code")
    assert clone.run("git", "status", "--porcelain").stdout == ""


def test_runs_that_dvc_does_without_are_not_trained_ahead(study: Project) -> None:
    for name in ("runs", ".dvc/cache"):
        shutil.rmtree(study.folder / name)
    study.turn("mixup.alpha", 0.4)
    name = "train_spirals_mixing@manifold-0"
    output = study.run("dvc", "repro", "--allow-missing", name).stdout
    assert stages_run(output) == {"validate", "train_ahead", name}
    assert {run.split()[1] for run in trained_ahead(output)} == {"manifold"}


def test_read_only_links_into_the_cache_are_put_in_place_again(study: Project) -> None:
    study.run("dvc", "config", "--local", "cache.type", "hardlink")
    study.run("dvc", "checkout", "--relink")
    name = "train_spirals_mixing@manifold-0"
    file = study.folder / "runs/spirals/manifold/0/model.safetensors"
    before = file.read_bytes()
    for _ in range(2):  # from the cache's links, then from those that DVC has just made
        assert stages_run(study.run("dvc", "repro", "-f", "-s", name).stdout) == {name}
        assert (file.stat().st_nlink > 1, file.read_bytes()) == (True, before)
    assert "up to date" in study.run("dvc", "status").stdout
