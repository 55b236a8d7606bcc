"""A study of one's own in a repository of one's own, where the project is installed."""

import importlib.util
import json
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.pipeline.own_study import ROWS, make_small
from tests.pipeline.project import CODE, Project, copy_from_project

pytestmark = pytest.mark.slow

METHODS = {"plain": "baseline", "mixing": "manifold"}  # those tuned take twice as long
BUILT_FROM = ("release", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")


@dataclass
class Installed(Project):
    """A folder whose commands are those of an environment that has the project."""

    programs: Path

    @property
    def environment(self) -> dict[str, str]:
        usual = super().environment
        return usual | {"PATH": f"{self.programs}:{usual['PATH']}"}


@pytest.fixture
def repository(tmp_path: Path) -> Installed:
    """Install the project into a new environment, and make a repository elsewhere."""
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("setuptools is not installed, and a build may not download it")
    source = tmp_path / "source"
    copy_from_project(source, *CODE, *BUILT_FROM)
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
    programs = tmp_path / "venv/bin"
    (programs / "dvc").write_text(f"#!{programs / 'python'}\nfrom dvc.cli import main\nmain()\n")
    (programs / "dvc").chmod(0o755)
    made = Installed(tmp_path / "repository", programs)
    made.folder.mkdir()
    made.run("git", "init", "-q")
    return made


def test_it_answers_about_labels_of_which_a_row_may_have_several(repository: Installed) -> None:
    ROWS.drop(columns="patient").to_csv(repository.folder / "my.csv", index=False)
    words = ("new_study", "mine", "--data", "my.csv", "--target", "ill", "tired", "--seeds", "2")
    repository.run("python", "-m", "tools", *words)
    study = Installed(repository.folder / "mine", repository.programs)
    make_small(study)
    for kind, method in METHODS.items():
        study.turn(f"experiments.own.{kind}", [method])
    assert "python -m stages train own baseline 0" in study.run("dvc", "repro", "answer").stdout
    imported = study.run("python", "-c", "import study; print(study.__file__)").stdout
    assert imported.startswith(str(repository.programs.parent / "lib"))
    digests = json.loads((study.folder / "code.json").read_text())
    assert digests["own"] == ""
    answer = (study.folder / "metrics/answer.txt").read_text()
    assert "against plain training" in answer
    for question in ("ill = 0", "ill = 1", "tired = 0", "tired = 1"):
        assert question in answer
    runs = pd.read_csv(study.folder / "metrics/runs.csv")
    trained = runs.query("metric == 'test_nll'")
    assert sorted(trained["method"]) == sorted([*METHODS.values()] * 2)
    assert len(pd.read_csv(study.folder / "metrics/claims.csv")) == 15
