"""The walk over imports: what it follows, and that none escapes it."""

import ast
from importlib import metadata
from itertools import chain
from pathlib import Path

import pytest

from study.code import (
    CANNOT_CHANGE_RESULTS,
    DECIDING,
    ROOT,
    files_run,
    read_code,
    stage_digest,
    stage_digests,
)
from study.errors import StudyError


@pytest.fixture
def small(tmp_path: Path) -> Path:
    sources = {
        "mixup/__init__.py": "",
        "study/__init__.py": "",
        "study/errors.py": "",
        "study/report/__init__.py": '"""Pages."""\n',
        "study/report/page.py": "import study.command\n",
        "study/report/style.css": "a {}",
        "study/report/templates/base.j2": "<p>",
        "study/command.py": "import study.data\n",
        "study/data/__init__.py": "",
        "mixup/models/__init__.py": "",
        "mixup/models/mlp.py": "import torch\nfrom study import errors\n",
        "stages/__init__.py": "",
        "stages/fit.py": (
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from study.data import x\n"
            "def fit():\n    from mixup.models.mlp import MLP\n    return MLP()\n"
        ),
        "stages/show.py": "from study.report.page import show\n",
        "requirements.lock": "torch==2.13.0\nnumpy==2.4.1\n    # via torch\ntqdm==4.67.1\n",
    }
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def digests(root: Path) -> dict[str, str]:
    stage_digest.cache_clear()
    return stage_digests(root)


def test_walk_follows_imports_wherever_they_stand(small: Path) -> None:
    files, packages = files_run(small / "stages/fit.py", small)
    assert files == {
        "mixup/__init__.py",
        "mixup/models/__init__.py",
        "mixup/models/mlp.py",
        "study/__init__.py",
        "study/errors.py",
        "stages/fit.py",
    }
    assert packages == {"torch"}


def test_walk_takes_what_code_reads_beside_it(small: Path) -> None:
    files, _ = files_run(small / "stages/show.py", small)
    assert {"study/report/style.css", "study/report/templates/base.j2"} <= files
    assert not [name for name in files if "command" in name or "data" in name]


@pytest.mark.parametrize(
    ("file", "text", "changed"),
    [
        ("mixup/models/mlp.py", "import torch\nfrom study import errors\nx = 1\n", {"fit"}),
        ("mixup/models/mlp.py", "import torch  # a net\nfrom study import errors\n", set()),
        ("study/report/style.css", "b {}", {"show"}),
        ("study/report/templates/base.j2", "<b>", {"show"}),
        ("study/report/another.css", "", {"show"}),
        ("study/command.py", "x = 1", set()),
        ("study/data/__init__.py", "x = 1", set()),
        ("requirements.lock", "torch==2.14.1\nnumpy==2.4.1\ntqdm==4.67.1\n", {"fit"}),
        ("requirements.lock", "torch==2.13.0\nnumpy==2.4.1\ntqdm==5.0\n", set()),
    ],
)
def test_digests_that_change(file: str, text: str, changed: set[str], small: Path) -> None:
    before = digests(small)
    assert before.keys() == {"fit", "show"}
    (small / file).write_text(text)
    after = digests(small)
    assert {name for name in before if before[name] != after[name]} == changed


def test_installed_code_has_neighbours_and_the_versions_in_use(small: Path) -> None:
    """Where packages are installed, torch lies beside mixup, and nothing is pinned."""
    (small / "torch").mkdir()
    (small / "torch/__init__.py").write_text("x = 1\n")
    (small / "requirements.lock").unlink()
    files, _ = files_run(small / "stages/fit.py", small)
    assert not [name for name in files if name.startswith("torch")]
    before = digests(small)
    (small / "requirements.lock").write_text(f"torch=={metadata.version('torch')}\n")
    assert digests(small) == before


def test_relative_imports_are_refused(small: Path) -> None:
    (small / "stages/fit.py").write_text("from . import show\n")
    with pytest.raises(StudyError, match="relative imports"):
        digests(small)


def test_nothing_is_imported_that_the_walk_cannot_see() -> None:
    hidden = {"import_module", "__import__", "find_spec", "exec", "eval", "run_path", "run_module"}
    folders = [(ROOT / name).rglob("[!_]*.py") for name in ("mixup", "stages", "study")]
    for file in chain.from_iterable(folders):
        names = {
            node.attr if isinstance(node, ast.Attribute) else node.id
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Name)
            or (isinstance(node, ast.Attribute) and node.attr != "eval")
        }
        assert not names & hidden, file


def test_lists_name_what_there_is() -> None:
    for name in CANNOT_CHANGE_RESULTS:
        assert (ROOT / f"{name.replace('.', '/')}.py").is_file(), name
    pins = (ROOT / "requirements.lock").read_text().lower()
    for distribution in DECIDING.values():
        assert f"{distribution}==" in pins, distribution


@pytest.mark.parametrize("text", ["", "{", "[1]", "3"])
def test_damaged_digests_are_named(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match=r"code\.json is missing"):
        read_code()
    Path("code.json").write_text(text)
    with pytest.raises(StudyError, match=r"code\.json is damaged"):
        read_code()
