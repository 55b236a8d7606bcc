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
PYTHON = ("env", "PYTHONPATH=..", "python", "-m")


def small(params: dict[str, Any]) -> dict[str, Any]:
    """Keep two seeds and two methods of each experiment, and train them for a moment."""
    params["seeds"] = [0, 1]
    for experiment in params["experiments"].values():
        experiment["net"]["width"] = 16
        experiment["plain"] = experiment["plain"][:1]
        mixing = experiment["mixing"]
        experiment["mixing"] = ["manifold"] if "manifold" in mixing else mixing[:1]
        length = {"steps": 20} if "steps" in experiment["training"] else {"epochs": 1}
        experiment["training"] |= length | {"decay_at": [], "evaluations": 1}
    return params


@pytest.fixture
def paper(tmp_path: Path) -> Project:
    for name in ("mixup", "stages"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    study = Project(tmp_path / "paper")
    for name in COPIED:
        (study.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "paper" / name, study.folder / name)
    study.write_params(small(study.params()))
    study.keep_claims()
    study.run("git", "init", "-q", "-b", "main", "..")
    return study


def test_runs_from_end_to_end(paper: Project) -> None:
    paper.run(*PYTHON, "stages.validate")
    assert "24 runs to train" in paper.run(*PYTHON, "stages.launch").stdout
    assert not [name for name in paper.repro() if name.startswith("train_")]
    claims = pd.read_csv(paper.folder / "metrics/claims.csv")
    assert set(claims["verdict"]) <= {"supported", "contradicted", "inconclusive"}
    assert len(claims) > 5
    drawn = {path.name for path in (paper.folder / "figures").rglob("*.png")}
    committed = {path.name for path in (ROOT / "paper/figures").rglob("*.png")}
    assert drawn == committed
    assert paper.repro() == set()
