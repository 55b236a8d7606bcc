"""A tiny but real study: a Git repository with the project's own files and a small params.yaml."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.processes import wait_until

ROOT = Path(__file__).parents[2]
CODE = ("mixup", "stages", "study", "tools", "requirements.lock")
SLOW = """
import time

def augment(x, generator):
    time.sleep(0.05)
    return x
"""
STUDY = (
    "claims.yaml",
    "code.json",
    "dvc.yaml",
    "params.yaml",
    ".dvc/config",
    ".dvc/plots",
    ".dvcignore",
    ".gitattributes",
    ".gitignore",
)


@dataclass
class Project:
    """A copy of the project in which commands can be run."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a user who has activated the environment."""
        bin_folder = str(Path(sys.executable).parent)
        return os.environ | {
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "DVC_SITE_CACHE_DIR": str(self.folder.parent / "site-cache"),
            "DVC_NO_ANALYTICS": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command as a user would."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
        return done

    def repro(self, *arguments: str) -> set[str]:
        """Run `dvc repro` and return the names of the stages whose command ran."""
        return stages_run(self.run("dvc", "repro", *arguments).stdout)

    def run_queue(self, jobs: int) -> str:
        """Run what `dvc exp run --queue` has queued, and return the states that it ends with."""

        def states() -> str:
            return self.run("dvc", "queue", "status").stdout

        def is_over() -> bool:
            now = states()
            return "Failed" in now or not ("Queued" in now or "Running" in now)

        self.run("dvc", "queue", "start", "-j", str(jobs))
        try:
            wait_until(is_over, pause=8)  # each look starts DVC
            return states()
        finally:
            self.run("dvc", "queue", "stop", "--kill", check=False)

    def turn(self, key: str, value: Any) -> None:
        """Set a key of params.yaml, written with dots."""
        params = self.params()
        *path, last = key.split(".")
        section = params
        for part in path:
            section = section[part]
        section[last] = value
        self.write_params(params)

    def params(self) -> dict[str, Any]:
        """Read params.yaml."""
        content: dict[str, Any] = yaml.safe_load((self.folder / "params.yaml").read_text())
        return content

    def write_params(self, params: dict[str, Any]) -> None:
        """Replace params.yaml."""
        (self.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))

    def lock(self) -> Any:
        """Read dvc.lock."""
        return yaml.safe_load((self.folder / "dvc.lock").read_text())

    def train_slowly(self, steps: int = 10_000_000) -> None:
        """Let each step of the spirals' runs take 0.05 s, and leave the processor to others."""
        (self.folder / "slow.py").write_text(SLOW)
        self.turn("own", {"name": "iris"})  # of studies with code of one's own
        self.turn("experiments.spirals.training.augment", "slow.py:augment")
        self.turn("experiments.spirals.training.steps", steps)

    def keep_spirals(self) -> None:
        """Train no digits."""
        for name in ("mnist_2d", "mnist_12d"):
            for group in ("plain", "mixing"):
                self.turn(f"experiments.{name}.{group}", [])

    def keep_claims(self) -> None:
        """Drop from claims.yaml what params.yaml no longer has methods for."""
        path = self.folder / "claims.yaml"
        known = {
            (name, method)
            for name, experiment in self.params()["experiments"].items()
            for method in (*experiment["plain"], *experiment["mixing"])
        }
        content = yaml.safe_load(path.read_text())
        kept = [
            claim
            for claim in content["claims"]
            for names in [[claim["method"], claim["than"]]]
            if all((claim["experiment"], m) in known for m in names if isinstance(m, str))
        ]
        families = {claim.get("family") for claim in kept}
        words = {
            name: text for name, text in content.get("questions", {}).items() if name in families
        }
        content |= {"claims": kept, "questions": words}
        path.write_text(yaml.safe_dump(content, sort_keys=False))

    def commit(self, message: str) -> None:
        """Commit everything Git does not ignore."""
        self.run("git", "add", "--all")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", message)

    def copy(self, folder: Path) -> "Project":
        """Copy the project with its cache and outputs."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)


def hashes(folder: Path) -> dict[str, str]:
    """Hash every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stages_run(output: str) -> set[str]:
    """Read from DVC's output which stages' commands ran."""
    return set(re.findall(r"^Running stage '([^']+)'", output, flags=re.MULTILINE))


def trained_ahead(output: str) -> list[str]:
    """Read which runs were trained ahead."""
    return sorted(re.findall(r"^(\w+ \w+ \d+): [\d.]+ s$", output, flags=re.MULTILINE))


def tiny(params: dict[str, Any]) -> dict[str, Any]:
    """Shrink the committed params.yaml until the study takes seconds."""
    params["seeds"] = [0, 1]
    experiments = params["experiments"]
    experiments["spirals"]["training"] |= {"steps": 20, "evaluations": 2}
    experiments["spirals"] |= {"plain": ["baseline"], "mixing": ["manifold"]}
    for name in ("mnist_2d", "mnist_12d"):
        experiments[name]["net"]["width"] = 16
        experiments[name]["training"] |= {"epochs": 1, "decay_at": [], "evaluations": 1}
    experiments["mnist_2d"]["mixing"] = ["manifold"]
    experiments["mnist_12d"]["mixing"] = []
    for one in experiments.values():  # for each stage that ran, DVC reads and writes them anew
        one["methods"] = {name: one["methods"][name] for name in (*one["plain"], *one["mixing"])}
    return params


def copy_from_project(folder: Path, *names: str) -> None:
    """Copy files and folders of the project, compiled as they are, without what builds leave."""
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            # what another process just compiles has a name that goes away
            ignored = shutil.ignore_patterns("build", "*.egg-info", "*.pyc.*")
            shutil.copytree(ROOT / name, target, ignore=ignored)
        else:
            shutil.copy(ROOT / name, target)


def make_study(folder: Path) -> None:
    """Copy the project's files to a new Git repository, and make its study tiny."""
    project = Project(folder / "study")
    copy_from_project(project.folder, *STUDY, *CODE)
    project.write_params(tiny(project.params()))
    project.keep_claims()
    project.run("git", "init", "-q", "-b", "main")
    project.commit("tiny study")
