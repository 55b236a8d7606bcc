"""The set-up: what is pinned, and what `make` does with a fresh, old or broken environment."""

import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIREMENTS = [
    Requirement(line)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for line in group
]
PIN_LINES = [
    line for line in (ROOT / "requirements.lock").read_text().splitlines() if line[:1] not in "#"
]
PINS = {canonicalize_name(name): version for name, version in (p.split("==") for p in PIN_LINES)}


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


# What is pinned


def test_lock_holds_nothing_but_exact_public_versions() -> None:
    pin = re.compile(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*")
    assert [line for line in PIN_LINES if not pin.fullmatch(line)] == []


def test_lock_leaves_the_build_of_torch_open() -> None:
    assert [name for name in PINS if name.startswith(("nvidia-", "cuda-", "triton"))] == []


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_pin_lies_within_the_range_of_pyproject(requirement: Requirement) -> None:
    assert PINS[canonicalize_name(requirement.name)] in requirement.specifier


def test_environment_has_the_pinned_versions() -> None:
    installed = {name: Version(importlib.metadata.version(name)).public for name in PINS}
    assert installed == PINS


# What make does: real environments, but with an empty lock file, so that each takes seconds


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "a project"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "requirements.lock").write_text("# nothing\n")
    return folder


def is_made_again(project: Path) -> bool:
    """Whether the next `make` would make the environment; with -n it only says so."""
    result = make(project, "-n", "venv")
    assert result.returncode == 0, result.stderr
    return "-m venv" in result.stdout


@pytest.mark.slow
def test_environment_is_made_once_and_again_when_it_must(project: Path) -> None:
    lock = project / "requirements.lock"
    assert is_made_again(project)
    lock.write_text("./no-such-package\n")
    failed = make(project, "venv", f"PYTHON={sys.executable}")
    assert failed.returncode != 0
    assert "no-such-package" in failed.stderr
    assert is_made_again(project)

    # a killed pip leaves no mark of completion either, and half of a package; the user may have
    # activated the environment that is to be replaced
    shutil.rmtree(next(project.glob(".venv/lib/python*/site-packages/pip")) / "_internal")
    lock.write_text("# nothing\n")
    assert is_made_again(project)
    activated = f"{project}/.venv/bin{os.pathsep}{os.environ['PATH']}"
    assert make(project, "venv", "PYTHON=python3", PATH=activated).returncode == 0
    subprocess.run([project / ".venv/bin/pip", "--version"], check=True)
    assert not is_made_again(project)

    lock.write_text("# something else\n")
    assert is_made_again(project)
    lock.write_text("# nothing\n")
    assert not is_made_again(project)

    moved = project.rename(project.with_name("moved"))
    assert is_made_again(moved)
    moved.rename(project)

    mark = project / ".venv/requirements.lock"
    mark.unlink()
    assert is_made_again(project)
    shutil.copy(lock, mark)
    assert not is_made_again(project)

    (project / ".venv/bin/python").unlink()
    (project / ".venv/bin/python").symlink_to("/no/such/python")
    assert is_made_again(project)


def test_python_keeps_what_it_compiles(project: Path) -> None:
    with (project / "Makefile").open("a") as makefile:
        makefile.write("environment:\n\t@env\n")
    shown = make(project, "environment", PYTHONDONTWRITEBYTECODE="1", KEPT="1").stdout
    assert "KEPT=1" in shown
    assert "BYTECODE" not in shown


def test_old_python_is_refused_by_name(project: Path) -> None:
    old = project / "python3.10"
    python = shlex.quote(sys.executable)
    pretend = f'exec {python} -c "import sys; sys.version_info = (3, 10); $2"'
    old.write_text(f"#!/bin/sh\n[ $1 = --version ] && echo Python 3.10.14 || {pretend}\n")
    old.chmod(0o755)
    result = make(project, "venv", f"PYTHON={old}")
    assert result.returncode != 0
    assert "Python 3.11 or newer is needed" in result.stderr
    assert "Python 3.10.14" in result.stderr
    assert not (project / ".venv").exists()


def test_missing_python_is_refused_by_name(project: Path) -> None:
    result = make(project, "venv", "PYTHON=python3.99")
    assert result.returncode != 0
    assert "Python 3.11 or newer is needed, but 'python3.99 --version'" in result.stderr
    assert "PYTHON=" in result.stderr
    assert not (project / ".venv").exists()


# What make does about Git and an interrupted DVC


def dvc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "init.defaultBranch=main", *arguments], cwd=folder, check=True)


@pytest.fixture
def archive(project: Path) -> Path:
    """An unpacked source archive with a pipeline of one stage, inside a foreign Git repository."""
    git(project.parent, "init", "--quiet")
    (project / ".dvc").mkdir()
    for name in (".dvc/config", ".dvc/.gitignore", ".gitignore", ".dvcignore"):
        shutil.copy(ROOT / name, project / name)
    (project / "input").write_text("digits\n")
    stage = {"cmd": "mkdir runs && cp input runs/output", "deps": ["input"], "outs": ["runs"]}
    (project / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"copy": stage}}))
    return project


BIN = f"BIN={shlex.quote(str(Path(sys.executable).parent))}"


@pytest.mark.slow
def test_archive_without_git_runs_and_git_is_used_once_it_is_there(archive: Path) -> None:
    told = make(archive, "scm", BIN)
    assert told.returncode == 0, told.stderr
    assert f"Git does not track {archive}:" in told.stdout
    assert make(archive, "scm", BIN).stdout == ""
    assert dvc(archive, "repro").returncode == 0
    assert (archive / "runs/output").read_text() == "digits\n"
    assert "no_scm" in (archive / ".dvc/config.local").read_text()

    git(archive, "init", "--quiet")
    git(archive, "add", ".")
    assert make(archive, "scm", BIN).returncode == 0
    assert "no_scm" not in (archive / ".dvc/config.local").read_text()
    assert "up to date" in dvc(archive, "repro").stdout
