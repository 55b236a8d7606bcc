"""What imports what: the layers, and the needs of the library and of the study."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mixup
from study.syntax import imported_names

ROOT = Path(__file__).parent.parent
STUDY_ONLY = {
    *("contourpy", "dvc", "matplotlib", "mlxtend", "pandas", "pydantic", "requests"),
    *("safetensors", "scipy", "sklearn", "tqdm", "urllib3", "yaml"),
}


# The layers, by import-linter; its contracts are in pyproject.toml


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command as main; main()"
    command = [sys.executable, "-c", program, "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy_of_project(tmp_path: Path) -> Path:
    for package in ("mixup", "stages", "study", "tools"):
        shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_layers_hold(copy_of_project: Path) -> None:
    result = lint_imports(copy_of_project)
    assert result.returncode == 0, result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("study/measures/__init__.py", "import study.figures", "The study's parts point one way"),
        ("study/data/__init__.py", "import study.training", "The study's parts point one way"),
        ("study/params.py", "import study.data", "The study's parts point one way"),
        ("study/figures/__init__.py", "import stages", "Imports point one way"),
        ("mixup/mixing/__init__.py", "import study", "The library knows no study"),
        ("mixup/models/__init__.py", "import argparse", "The library knows no study"),
        ("stages/plots.py", "import stages.train", "Stages share code through study only"),
    ],
)
def test_layers_notice(file: str, line: str, contract: str, copy_of_project: Path) -> None:
    with (copy_of_project / file).open("a") as source:
        source.write(f"\n{line}\n")
    result = lint_imports(copy_of_project)
    assert result.returncode != 0
    broken = re.search(rf"{contract}.*BROKEN", result.stdout)
    assert broken, result.stdout


# The library alone: what an engineer gets who installs it without the study


def test_mixing_needs_torch_and_numpy_only() -> None:
    allowed = sys.stdlib_module_names | {"torch", "numpy"}
    files = sorted((ROOT / "mixup/mixing").rglob("*.py"))
    assert len(files) > 1
    outside = {
        name
        for file in files
        for name in imported_names(ast.parse(file.read_text()))
        if name.split(".")[0] not in allowed and not name.startswith("mixup.mixing.")
    }
    assert outside == set()


@pytest.mark.slow
def test_public_names_need_nothing_of_the_study() -> None:
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({STUDY_ONLY}))\n"
        "import mixup; print(*(name for name in mixup.__all__ if hasattr(mixup, name)))\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.split() == mixup.__all__


def test_study_uses_every_package_that_it_asks_for() -> None:
    files = [path for name in ("stages", "study", "tools") for path in (ROOT / name).rglob("*.py")]
    trees = [ast.parse(file.read_text()) for file in files]
    used = {name.split(".")[0] for tree in trees for name in imported_names(tree)}
    assert STUDY_ONLY - used <= {"dvc"}  # a command first of all
