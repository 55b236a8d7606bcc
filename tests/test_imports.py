"""What imports what: the layers, the library's own needs, and the code each stage tells DVC of."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
STUDY_ONLY = {
    *("contourpy", "dvc", "matplotlib", "mlxtend", "pandas", "pydantic", "requests"),
    *("safetensors", "scipy", "sklearn", "tqdm", "urllib3", "yaml"),
}


# It prints how a stage failed, so no output depends on it: an edit must not retrain anything.
NO_DEP = ROOT / "mixup/study/command.py"


# The walk: which files of the project a module runs


def imported_names(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports when it runs, wherever in it they stand."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for block in [node for node in ast.walk(tree) if isinstance(node, ast.If)]:
        if ast.unparse(block.test).endswith("TYPE_CHECKING"):
            block.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports are not used in this project"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def project_file(name: str, root: Path) -> Path | None:
    """Find the file of the module ``name``, or of the module that has it as an attribute."""
    parts = name.split(".")
    if not (root / parts[0]).is_dir():
        return None
    for depth in range(len(parts), 0, -1):
        place = root.joinpath(*parts[:depth])
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                return file
    return None


def has_code(file: Path) -> bool:
    """Whether a module holds more than its docstring."""
    return any(not isinstance(node, ast.Expr) for node in ast.parse(file.read_text()).body)


def files_run(start: Path, root: Path) -> set[Path]:
    """Collect what a module imports, directly or not, itself and the packages around included.

    ``mixup/__init__.py`` is left out: its public names are lazy and nothing in the project may
    use them. Other ``__init__.py`` files count if they hold code.
    """
    reached, waiting = set(), [start]
    while waiting:
        file = waiting.pop()
        if file in reached:
            continue
        reached.add(file)
        for name in imported_names(file):
            target = project_file(name, root)
            assert target != root / "mixup/__init__.py", f"{file}: import {name} from its module"
            if target:
                waiting.append(target)
        for folder in file.relative_to(root).parents:
            init = root / folder / "__init__.py"
            if init.is_file() and folder != Path("mixup"):
                waiting.append(init)
    return {file for file in reached if file.name != "__init__.py" or has_code(file)}


# DVC follows no imports, so what a stage depends on must be written down


def undeclared_and_unused(root: Path, study: str = ".") -> list[str]:
    """Compare the code that each stage of a study imports with the code among its deps."""
    complaints = []
    for name, stage in yaml.safe_load((root / study / "dvc.yaml").read_text())["stages"].items():
        (module,) = set(re.findall(r"python -m (stages\.\w+)", str(stage["cmd"])))
        start = project_file(module, root)
        assert start is not None, f"{name} starts {module}, which does not exist"
        imports = files_run(start, root) - {NO_DEP}
        code = [dep for dep in stage["deps"] if dep.startswith(("mixup/", "stages/"))]
        deps = {root / (root / study / dep).resolve().relative_to(root.resolve()) for dep in code}
        covered = {dep: {file for file in imports if file.is_relative_to(dep)} for dep in deps}
        for file in sorted(imports.difference(*covered.values())):
            complaints.append(f"{name} imports {file.relative_to(root)}, which is not in its deps")
        for dep in sorted(dep for dep in deps if not covered[dep]):
            complaints.append(f"{name} does not import {dep.relative_to(root)}, a dep")
    return complaints


@pytest.mark.parametrize("study", [".", "full"])
def test_deps_of_every_stage_are_the_code_that_it_imports(study: str) -> None:
    complaints = undeclared_and_unused(ROOT, study)
    assert not complaints, "\n".join(complaints)


FIT_DEPS = [
    "mixup/models",
    "mixup/study/training/trainer.py",
    "mixup/study/errors.py",
    "stages/fit.py",
]


@pytest.fixture
def small_project(tmp_path: Path) -> Path:
    sources = {
        "mixup/__init__.py": "from importlib import import_module\n",
        "mixup/study/errors.py": "",
        "mixup/models/__init__.py": '"""Only a docstring."""\n',
        "mixup/models/mlp.py": "import torch\nfrom mixup import errors\n",
        "mixup/study/training/__init__.py": "",
        "mixup/study/training/trainer.py": (
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from mixup.study.figures.lines import Line\n"
            "def train():\n    from mixup.models.mlp import MLP\n    return MLP()\n"
        ),
        "mixup/study/figures/lines.py": "",
        "stages/__init__.py": '"""Only a docstring."""\n',
        "stages/fit.py": "from mixup.study.training import trainer\n",
    }
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    declare(tmp_path, FIT_DEPS)
    return tmp_path


def declare(root: Path, deps: list[str]) -> None:
    stage = {"cmd": "python -m stages.fit ${item.seed}", "deps": ["data/a.npz", *deps]}
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"fit": stage}}))


def test_walk_accepts_exact_deps(small_project: Path) -> None:
    assert undeclared_and_unused(small_project) == []


@pytest.mark.parametrize("dep", FIT_DEPS)
def test_walk_reports_a_missing_dep(dep: str, small_project: Path) -> None:
    file = "mixup/models/mlp.py" if dep == "mixup/models" else dep
    declare(small_project, [other for other in FIT_DEPS if other != dep])
    assert undeclared_and_unused(small_project) == [f"fit imports {file}, which is not in its deps"]


def test_walk_reports_a_dep_that_is_not_used(small_project: Path) -> None:
    declare(small_project, [*FIT_DEPS, "mixup/study/figures"])
    assert undeclared_and_unused(small_project) == [
        "fit does not import mixup/study/figures, a dep"
    ]


def test_walk_counts_a_package_that_holds_code(small_project: Path) -> None:
    (small_project / "mixup/study/training/__init__.py").write_text("SPEED = 1\n")
    assert undeclared_and_unused(small_project) == [
        "fit imports mixup/study/training/__init__.py, which is not in its deps"
    ]


def test_walk_refuses_the_lazy_public_names(small_project: Path) -> None:
    (small_project / "stages/fit.py").write_text("from mixup import ManifoldMixup\n")
    with pytest.raises(AssertionError, match=r"import mixup\.ManifoldMixup from its module"):
        undeclared_and_unused(small_project)


# The layers, by import-linter; its contracts are in pyproject.toml


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command as main; main()"
    command = [sys.executable, "-c", program, "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy_of_project(tmp_path: Path) -> Path:
    for package in ("mixup", "stages"):
        shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_layers_hold(copy_of_project: Path) -> None:
    result = lint_imports(copy_of_project)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("mixup/study/measures/__init__.py", "import mixup.study.figures", "Imports point one way"),
        ("mixup/study/data/__init__.py", "import mixup.models", "Imports point one way"),
        ("mixup/study/params.py", "import mixup.mixing", "Imports point one way"),
        ("mixup/study/files.py", "import dvc.api", "The library knows no pipeline"),
        ("mixup/study/training/__init__.py", "import argparse", "The library knows no pipeline"),
        ("mixup/study/figures/__init__.py", "import stages", "The library knows no pipeline"),
        ("stages/plots.py", "import stages.train", "Stages share code through the library only"),
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
        for name in imported_names(file)
        if name.split(".")[0] not in allowed and not name.startswith("mixup.mixing.")
    }
    assert outside == set()


def test_public_names_need_nothing_of_the_study() -> None:
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({STUDY_ONLY}))\n"
        "import mixup; [getattr(mixup, name) for name in mixup.__all__]\n"
        "from mixup import ManifoldMixup"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_study_uses_every_package_that_it_asks_for() -> None:
    files = [*(ROOT / "mixup").rglob("*.py"), *(ROOT / "stages").rglob("*.py")]
    used = {name.split(".")[0] for file in files for name in imported_names(file)}
    assert STUDY_ONLY - used <= {"dvc"}  # a command first of all
