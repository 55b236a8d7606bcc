"""A study of one's own, from the command line to the answer, made small."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.pipeline.conftest import ROOT, Project, hashes

pytestmark = pytest.mark.slow

NET = """
import torch

def build(shape, n_classes):
    return torch.nn.Sequential(
        torch.nn.Linear(shape[0], 8), torch.nn.ReLU(), torch.nn.Linear(8, n_classes)
    )
"""
AUGMENTATION = """
import torch

def augment(x, generator):
    return x + 0.1 * torch.randn(x.shape, generator=generator)
"""
N, N_PATIENTS = 72, 12
ROWS = pd.DataFrame({
    "dose": [i % 7 for i in range(N)],
    "age": [20 + i % 5 for i in range(N)],
    "place": [("town", "village", "farm")[i % 3] for i in range(N)],
    "patient": [f"p{i % N_PATIENTS}" for i in range(N)],
    "ill": [int(i % 7 > 3) for i in range(N)],
    "tired": [int(i % 5 > 1) for i in range(N)],
})  # fmt: skip
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
def clone(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Copy the code into a repository with data and a net of one's own."""
    above = Project(tmp_path_factory.mktemp("clone"))
    for name in ("mixup", "stages", "study", "tools"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, above.folder / name, ignore=ignored)
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, above.folder)
    (above.folder / "my_net.py").write_text(NET)
    ROWS.drop(columns="tired").to_csv(above.folder / "ill.csv", index=False)
    ROWS.drop(columns="patient").to_csv(above.folder / "labels.csv", index=False)
    above.run("git", "init", "-q", "-b", "main")
    return above


def made(clone: Project, name: str, *words: str) -> Project:
    """Make a study in the clone, and make it small."""
    said = clone.run("python", "-m", "tools", "new_study", name, *words, "--seeds", "2").stdout
    assert f"cd {name} && dvc repro" in said
    study = Project(clone.folder / name)
    study.write_params(small(study.params()))
    return study


@pytest.fixture(scope="module")
def mine(clone: Project) -> Project:
    """Run a study of patients, none of which is split, with net and augmentation of one's own."""
    words = ("--data", "ill.csv", "--target", "ill", "--group", "patient")
    study = made(clone, "mine", *words, "--net", "my_net.py:build")
    (study.folder / "my_augmentation.py").write_text(AUGMENTATION)
    study.turn("experiments.own.training.augment", "my_augmentation.py:augment")
    study.run("dvc", "repro")
    clone.commit("results")
    return study


def test_the_answer_is_printed_and_on_the_page(mine: Project) -> None:
    answer = (mine.folder / "metrics/answer.txt").read_text().splitlines()
    assert answer[0].startswith(("Tuned mixing", "It is open whether tuned mixing"))
    assert "against plain training that stops early, with a tuned weight decay" in answer[0]
    assert "not tuned" in answer[1]
    assert "against plain training (input mixup: alpha 1 at " in answer[1]
    assert "tuned weight decay" in answer[2]
    assert "were not tested" in answer[3]
    printed = " ".join(mine.run("python", "../tools", "show_results").stdout.split())
    page = (mine.folder / "report/index.html").read_text()
    for line in answer:
        assert line in printed
    assert page.index("were not tested") < page.index("15 claims")  # the answer comes first
    for question in ("log-likelihood of test data?", "the accuracy on test", "better calibrated?"):
        assert question in page
    choices = pd.read_csv(mine.folder / "metrics/choices.csv")
    assert len(choices) == 2 + 2  # a weight decay and an alpha, on two seeds
    claims = pd.read_csv(mine.folder / "metrics/claims.csv")
    assert (claims["resampled"] > 0).all()
    assert len(claims) == 15
    assert f"in {N_PATIENTS} groups that are on one side of each split" in page
    drawn = {path.name for path in (mine.folder / "figures/study").iterdir()}
    assert {"methods_own.png", "curves_own.png", "draws_own.png", "reliability_own.png"} <= drawn


def test_nothing_of_the_data_is_for_git(mine: Project) -> None:
    listed = mine.run("git", "ls-files").stdout.split()
    assert not [name for name in listed if name.startswith(("data/", "runs/", "report/"))]
    assert {"metrics/answer.txt", "dvc.lock", "params.yaml", ".dvc/config"} <= set(listed)


def test_a_second_repro_has_nothing_to_do(mine: Project) -> None:
    assert mine.repro() == {"code"}


def test_the_page_names_the_stage_that_trains_a_run(mine: Project) -> None:
    page = (mine.folder / "report/index.html").read_text()
    assert set(re.findall(r"dvc repro (train_\S+?@[\w-]+)", page)) == set(TRAINED)


def test_an_edit_of_ones_own_code_retrains_and_a_comment_does_not(mine: Project) -> None:
    codes = {"my_net.py": NET, "my_augmentation.py": AUGMENTATION}
    for file, code in codes.items():
        (mine.folder / file).write_text(f"# A comment.\n{code}")
    assert mine.repro() == {"code"}
    digests = set()
    for file, code in codes.items():
        (mine.folder / file).write_text(code.replace("8", "9").replace("0.1", "0.2"))
        mine.run("python", "../stages", "code")
        digests.add(json.loads((mine.folder / "code.json").read_text())["own"])
    assert len(digests) == 2
    mine.run("dvc", "repro", "code")
    out_of_date = mine.run("dvc", "status").stdout
    assert all(stage in out_of_date for stage in TRAINED)
    mine.run("git", "checkout", "-q", ".")


def test_a_sweep_turns_a_number_and_all_are_compared(mine: Project) -> None:
    before = hashes(mine.folder / "runs"), mine.run("git", "status", "--porcelain", ".").stdout
    sweep = ("python", "../tools", "sweep", "mixup.alpha", "0.4", "1")
    swept = mine.run(*sweep).stdout
    told = [line for line in swept.splitlines() if line.startswith("Experiment")]
    assert told == ["Experiment 1 of 1: dvc exp run --temp -S mixup.alpha=0.4"]
    ((name, _),) = re.findall(r"^mixup\.alpha = 0\.4 \((.*)\), 1 \((.*)\)$", swept, re.MULTILINE)
    assert (mine.folder / "report/sweep_mixup.alpha.png").exists()
    after = hashes(mine.folder / "runs"), mine.run("git", "status", "--porcelain", ".").stdout
    assert after == before
    again = mine.run(*sweep).stdout
    assert again.splitlines()[-2:] == swept.splitlines()[-2:]
    assert "Experiment" not in again
    mine.run("dvc", "exp", "apply", name)
    changed = json.loads(mine.run("dvc", "metrics", "diff", "--json").stdout)
    assert any("input" in key for of in changed.values() for key in of)
    assert "A is" in mine.run("python", "../tools", "compare").stdout
    page = (mine.folder / "report/compare.html").read_text()
    assert page.count("<code>mixup.alpha</code>") == 1
    for revision in ("HEAD", "workspace"):
        assert f'alt="methods_own of {revision}"' in page


def test_labels_of_which_a_row_may_have_several(clone: Project) -> None:
    study = made(clone, "labels", "--data", "labels.csv", "--target", "ill", "tired")
    study.run("dvc", "repro", "answer")
    answer = (study.folder / "metrics/answer.txt").read_text()
    assert "against plain training" in answer
    for question in ("ill = 0", "ill = 1", "tired = 0", "tired = 1"):
        assert question in answer
    runs = pd.read_csv(study.folder / "metrics/runs.csv")
    assert len(runs.query("metric == 'test_nll'")) == len(TRAINED)
    assert len(pd.read_csv(study.folder / "metrics/claims.csv")) == 15


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
