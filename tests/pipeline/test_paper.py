"""The study of the paper's own claims, made small, from its own dvc.yaml."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.pipeline.conftest import ROOT, Project

pytestmark = pytest.mark.slow

COPIED = (
    *("claims.yaml", "dvc.yaml", "params.yaml"),
    *(".dvc/config", ".dvcignore", ".gitignore"),
)
NEEDS_TWO_PLAIN_METHODS = {"hidden_spirals_2d_plain.png"}


def small(params: dict[str, Any]) -> dict[str, Any]:
    """Keep two seeds and two or three methods of each experiment, and train them for a moment."""
    params["seeds"] = [0, 1]
    for experiment in params["experiments"].values():
        experiment["net"]["width"] = 16
        experiment["plain"] = experiment["plain"][:1]
        mixing = experiment["mixing"]
        experiment["mixing"] = [m for m in mixing if m in ("input", "manifold")] or mixing[:1]
        length = {"steps": 20} if "steps" in experiment["training"] else {"epochs": 1}
        experiment["training"] |= length | {"decay_at": [], "evaluations": 1}
    params["states"] |= {"features": {"mnist": ["baseline", "input", "manifold"]}, "pairs": 20}
    params["robustness"]["attacks"] |= {"radii": [0.05], "pgd_steps": 2, "n_samples": 20}
    return params


@pytest.fixture
def paper(tmp_path: Path) -> Project:
    for name in ("mixup", "stages"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    study = Project(tmp_path / "paper")
    study.folder.mkdir()
    for name in ("mixup", "stages"):
        (study.folder / name).symlink_to(f"../{name}")
    for name in COPIED:
        (study.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "paper" / name, study.folder / name)
    study.write_params(small(study.params()))
    study.keep_claims()
    study.run("git", "init", "-q", "-b", "main", "..")
    return study


def test_runs_from_end_to_end(paper: Project) -> None:
    paper.run("python", "-m", "stages.validate")
    assert "30 runs to train" in paper.run("python", "-m", "stages.launch").stdout
    assert not [name for name in paper.repro() if name.startswith("train_")]
    claims = pd.read_csv(paper.folder / "metrics/claims.csv")
    assert set(claims["verdict"]) <= {"supported", "contradicted", "inconclusive"}
    assert len(claims) > 5
    drawn = {path.name for path in (paper.folder / "figures").rglob("*.png")}
    committed = {path.name for path in (ROOT / "paper/figures").rglob("*.png")}
    assert committed - drawn == NEEDS_TWO_PLAIN_METHODS
    assert drawn <= committed
    # A commit of two studies: this one is compared with itself, not with the one above it.
    above = paper.folder.parent / "metrics"
    shutil.copytree(paper.folder / "metrics", above)
    for name in ("runs.csv", "claims.csv"):
        header, *_ = (above / name).read_text().splitlines(keepends=True)
        (above / name).write_text(header)
    paper.run("git", "add", "--all", "..")
    paper.commit("results")
    assert "The results hold." in paper.run("python", "-m", "stages.verify").stdout
    # What Python compiles is no change, through the links of paper/ either.
    (paper.folder.parent / "mixup/mixing/__pycache__").mkdir(exist_ok=True)
    (paper.folder.parent / "mixup/mixing/__pycache__/any.pyc").touch()
    assert paper.repro() == set()
