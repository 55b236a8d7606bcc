"""What is released: the library alone, with nothing beside it than PyTorch and numpy."""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(<!-- needs: \w+ -->\n)?```python\n(.*?)```", re.DOTALL)
LIBRARY = {"mixup", "mixup/mixing", "mixup/models", "mixup/integrations"}


SOURCES = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("setuptools is not installed, and a build may not download it")
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("mixup", "study", "tests"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    build = "from setuptools import build_meta; build_meta.build_sdist('dist')"
    run(sys.executable, "-c", build, folder=source)
    (built,) = source.glob("dist/*.tar.gz")
    return built


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    run(
        sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index",
        "-q", "-w", sdist.parent, sdist,
    )  # fmt: skip
    (built,) = sdist.parent.glob("*.whl")
    return built


def run(*command: object, folder: str | Path = "/") -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def needed(name: str, seen: set[str]) -> set[str]:
    """Return a distribution and all that it needs here."""
    name = re.sub(r"[-_.]+", "-", name).lower()
    if name in seen:
        return seen
    try:
        requires = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:  # another platform's, as CUDA's
        return seen
    seen.add(name)
    for requirement in map(Requirement, requires):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            needed(requirement.name, seen)
    return seen


@pytest.mark.slow
def test_a_source_archive_has_the_library_and_what_says_so(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {str(Path(*Path(name).parts[1:])) for name in archive.getnames()}
    assert set(SOURCES) <= names
    assert {name.partition("/")[0] for name in names if name.endswith(".py")} == {"mixup"}


@pytest.mark.slow
def test_a_wheel_has_the_library_and_no_study(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    folders = {str(Path(name).parent) for name in names if ".dist-info" not in name}
    assert folders == LIBRARY
    assert "mixup/py.typed" in names


@pytest.mark.slow
def test_the_documents_code_runs_where_the_wheel_is_installed(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "-q",
        "--target", site, wheel)  # fmt: skip
    for name in needed("torch", needed("numpy", set())):
        for file in importlib.metadata.files(name) or []:
            top = file.parts[0]
            if top != ".." and not (site / top).exists():
                (site / top).symlink_to(Path(file.locate()).parents[len(file.parts) - 1] / top)
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    blocks = [code for needs, code in BLOCK.findall(text) if not needs]
    assert len(blocks) >= 10
    script = tmp_path / "blocks.py"
    script.write_text(
        "import importlib.util\n"
        "for name in ('yaml', 'pandas', 'lightning', 'transformers', 'study', 'stages'):\n"
        "    assert importlib.util.find_spec(name) is None, name\n" + "\n".join(blocks),
        encoding="utf-8",
    )
    run(python, "-I", script)
