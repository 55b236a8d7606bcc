"""A study of one's own, from the command line to the answer, made small."""

import importlib.util
import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.pipeline.conftest import ROOT, Project

pytestmark = pytest.mark.slow

NET = """
import torch

def build(shape, n_classes):
    return torch.nn.Sequential(
        torch.nn.Linear(shape[0], 8), torch.nn.ReLU(), torch.nn.Linear(8, n_classes)
    )
"""
TRAINED = [f"train_{group}@{method}-{seed}" for group, methods in (
    ("plain", ("baseline", "early_stopping", "weight_decay")),
    ("mixing", ("input", "manifold", "chosen_mixup")),
) for method in methods for seed in (0, 1)]  # fmt: skip


def small(params: dict[str, Any]) -> dict[str, Any]:
    """Train for a moment, and choose from two values."""
    own = params["experiments"]["own"]
    own["training"] |= {"epochs": 3, "evaluations": 3, "learning_rate": 0.03}
    own["methods"]["weight_decay"]["choose"]["weight_decay"] = [0.0, 1.0]
    own["methods"]["chosen_mixup"]["choose"] = {"alpha": [0.2, 1.0]}
    return params


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make and run a study of the irises with a net of one's own, beside a copy of the code."""
    clone = tmp_path_factory.mktemp("clone")
    for name in ("mixup", "stages", "study", "tools"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, clone / name, ignore=ignored)
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, clone)
    (clone / "my_net.py").write_text(NET)
    above = Project(clone)
    above.run("git", "init", "-q", "-b", "main")
    words = ("--data", "iris", "--net", "my_net.py:build", "--seeds", "2")
    said = above.run("python", "-m", "tools", "new_study", "mine", *words).stdout
    assert "cd mine && dvc repro" in said
    study = Project(clone / "mine")
    study.write_params(small(study.params()))
    study.run("dvc", "repro")
    study.run("git", "add", "--all", "..")
    study.commit("results")
    return study


def test_the_answer_is_printed_and_on_the_page(mine: Project) -> None:
    answer = (mine.folder / "metrics/answer.txt").read_text().splitlines()
    assert "against plain training" in answer[0]
    assert "tuned weight decay" in answer[1]
    assert "were not tested" in answer[2]
    printed = " ".join(mine.run("python", "../tools", "show_results").stdout.split())
    page = (mine.folder / "report/index.html").read_text()
    for line in answer:
        assert line in printed
    assert "were not tested" in page
    choices = pd.read_csv(mine.folder / "metrics/choices.csv")
    assert len(choices) == 2 + 2  # a weight decay and an alpha, on two seeds
    claims = pd.read_csv(mine.folder / "metrics/claims.csv")
    assert (claims["resampled"] > 0).all()
    assert len(claims) == 15
    drawn = {path.name for path in (mine.folder / "figures/study").iterdir()}
    assert {"methods_own.png", "curves_own.png", "draws_own.png", "reliability_own.png"} <= drawn


def test_nothing_of_the_data_is_for_git(mine: Project) -> None:
    listed = mine.run("git", "ls-files").stdout.split()
    assert not [name for name in listed if name.startswith(("data/", "runs/", "report/"))]
    assert {"metrics/answer.txt", "dvc.lock", "params.yaml", ".dvc/config"} <= set(listed)


def test_a_second_repro_has_nothing_to_do(mine: Project) -> None:
    assert mine.repro() == {"code"}


def test_an_edit_of_ones_own_net_retrains_and_a_comment_does_not(mine: Project) -> None:
    net = mine.folder / "my_net.py"
    net.write_text(f"# A comment.\n{NET}")
    assert mine.repro() == {"code"}
    net.write_text(NET.replace("8", "9"))
    mine.run("dvc", "repro", "code")
    out_of_date = mine.run("dvc", "status").stdout
    assert all(stage in out_of_date for stage in TRAINED)
    net.write_text(NET)
    mine.run("dvc", "repro", "code")


def test_an_experiment_turns_a_number_and_is_compared(mine: Project) -> None:
    mine.run("dvc", "exp", "run", "-S", "mixup.alpha=0.4")
    changed = json.loads(mine.run("dvc", "metrics", "diff", "--json").stdout)
    assert any("input" in key for of in changed.values() for key in of)
    assert "A is" in mine.run("python", "../tools", "compare").stdout
    swept = mine.run("python", "../tools", "sweep", "mixup.alpha", "0.4", "2").stdout
    assert "Experiment 1 of 1: dvc exp run --temp -S mixup.alpha=2\n" in swept
    assert "mixup.alpha = 0.4" in swept
    assert ", 1 (" in swept
    assert ", 2 (" in swept
    assert (mine.folder / "report/sweep_mixup.alpha.png").exists()


def test_it_works_in_a_repository_of_ones_own_where_the_project_is_installed(
    tmp_path: Path,
) -> None:
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("setuptools is not installed, and a build may not download it")
    source = tmp_path / "source"
    for name in ("mixup", "release", "stages", "study", "tools"):
        ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, source)
    venv.create(tmp_path / "venv", with_pip=False)
    (site,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    for folder in (source, source / "release"):
        command = ["-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index"]
        done = subprocess.run(
            [sys.executable, *command, "-q", "--target", site, folder],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    # What the project needs is taken from here; the project itself is not.
    (site / "needs.pth").write_text(f"{Path(pd.__file__).parents[1]}\n")
    repository = Project(tmp_path / "repository")
    repository.folder.mkdir()
    rows = "\n".join(f"{i % 7},{i % 3},{'ab'[i % 2]}" for i in range(60))
    (repository.folder / "my.csv").write_text(f"x,y,kind\n{rows}\n")
    bin_folder = tmp_path / "venv/bin"
    (bin_folder / "dvc").write_text(
        f"#!{bin_folder / 'python'}\nfrom dvc.cli import main\nmain()\n"
    )
    (bin_folder / "dvc").chmod(0o755)
    environment = repository.environment
    environment["PATH"] = f"{bin_folder}:{environment['PATH']}"

    def run(*words: str, folder: Path) -> str:
        done = subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("git", "init", "-q", folder=repository.folder)
    words = ("new_study", "mine", "--data", "my.csv", "--target", "kind", "--seeds", "2")
    run("python", "-m", "tools", *words, folder=repository.folder)
    study = Project(repository.folder / "mine")
    study.write_params(small(study.params()))
    said = run("dvc", "repro", "train_plain@baseline-0", folder=study.folder)
    assert "python -m stages train own baseline 0" in said
    assert (study.folder / "runs/own/baseline/0/metrics.json").exists()
    digests = json.loads((study.folder / "code.json").read_text())
    assert digests["own"] == ""
    assert (
        run("python", "-c", "import study; print(study.__file__)", folder=study.folder)
        .strip()
        .startswith(str(site))
    )
