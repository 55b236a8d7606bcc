"""Digests of code: what they are blind to, what they notice, and that no import escapes them."""

import ast
import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from itertools import chain
from pathlib import Path

import pytest
import yaml

from study.code import (
    CANNOT_CHANGE_RESULTS,
    DECIDING,
    ROOT,
    files_run,
    meaning,
    read_code,
    stage_digest,
    stage_digests,
)
from study.errors import StudyError

SOURCE = '''
"""Says what it does."""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 3  # of them


class Thing:
    """A thing."""

    size: int = 1
    """In cells."""

    def grow(self, by: float, name: str) -> str:
        """Grow."""
        return f"{name!r:>{self.size}} grew by {by:.2f}" if by > LIMIT else "no"
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Says what it does."""', '"""Does something."""'),
        ('        """Grow."""\n', ""),
        ('"""In cells."""', '"""In rows."""'),
        ("  # of them", ""),
        (
            "self, by: float, name: str",
            "\n        self,\n        by: float,\n        name: str,\n    ",
        ),
        ("LIMIT = 3", "LIMIT = (\n    3\n)"),
        ("    from pathlib import Path", "    from pathlib import PurePath"),
        ('"no"', "'no'"),
    ],
)
def test_comments_docstrings_and_layout_mean_nothing(old: str, new: str) -> None:
    assert old in SOURCE
    assert meaning(SOURCE.replace(old, new)) == meaning(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("LIMIT = 3", "LIMIT = 3.0"),
        ("LIMIT = 3", "LIMIT = None"),
        ("by > LIMIT", "by >= LIMIT"),
        ("by: float", "by: int"),
        ("{by:.2f}", "{by:.3f}"),
        ("{name!r", "{name!s"),
        ("grew by", "grew  by"),
        ('else "no"', 'else ""'),
        ("return f", "return (yield)\n        return f"),
    ],
)
def test_whatever_runs_means_something(old: str, new: str) -> None:
    assert old in SOURCE
    assert meaning(SOURCE.replace(old, new)) != meaning(SOURCE)


def test_an_f_string_in_one_piece_or_in_two_means_the_same() -> None:
    assert meaning('f"a{b}c" "d"') == meaning('f"a{b}cd"')
    assert meaning('f"a{b}" f"{c}"') != meaning('f"a{c}" f"{b}"')


def other_pythons() -> dict[str, str]:
    """Find the other versions of Python that are installed here and supported, one of each."""
    homes = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    on_path = map(shutil.which, ("python3.11", "python3.12", "python3.13"))
    found = [*map(str, homes.glob("3.1[1-9].*/bin/python")), *filter(None, on_path)]
    others = {version_of(python): python for python in found}
    return {v: others[v] for v in others.keys() - {version_of(sys.executable), ""}}


def version_of(python: str) -> str:
    """Ask a Python for its version, empty if it only points to one that is not there."""
    ask = "import sys; print(*sys.version_info[:2], sep='.')"
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    return done.stdout.strip()


@pytest.mark.slow
def test_digests_are_the_same_on_every_python(tmp_path: Path) -> None:
    program = (
        "import json, sys; sys.path.insert(0, sys.argv[1])\n"
        "from study.code import meaning, stage_digests\n"
        "files = open(sys.argv[2]).read().splitlines()\n"
        "print(json.dumps([stage_digests(), [meaning(open(f).read()) for f in files]]))"
    )
    files = tmp_path / "files"
    folders = ("mixup", "stages", "study", "tools", "tests")
    sources = [path for name in folders for path in (ROOT / name).rglob("*.py")]
    files.write_text("\n".join(map(str, sorted(sources))))
    others = other_pythons()
    if not others:
        pytest.skip("there is no other Python here")

    def answer(python: str) -> object:
        command = [python, "-c", program, str(ROOT), str(files)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    mine = answer(sys.executable)
    for version, python in others.items():
        assert answer(python) == mine, version


def test_committed_digests_are_those_of_the_code() -> None:
    for study in (ROOT, ROOT / "full"):
        committed = json.loads((study / "code.json").read_text())
        assert committed == stage_digests(), f"run `dvc repro code` in {study.name}"


def test_every_stage_depends_on_its_own_code_and_names_no_module() -> None:
    files = [ROOT / "dvc.yaml", *(ROOT / "full").rglob("dvc.yaml")]
    assert len(files) > 2
    for file in files:
        for name, stage in yaml.safe_load(file.read_text())["stages"].items():
            if name == "code":
                continue
            module = stage["cmd"].replace("stages ", "stages.").partition("stages.")[2].split()[0]
            named = [param["code.json"] for param in stage["params"] if isinstance(param, dict)]
            # train_ahead has work to do when a run has.
            assert named == [["train" if module == "train_ahead" else module]], name
            assert not [dep for dep in stage["deps"] if dep.endswith(".py") or "mixup" in dep]


def test_templates_of_a_new_study_name_the_code_of_their_stages() -> None:
    text = (ROOT / "tools/templates/new_study/dvc.yaml.j2").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("{%")]
    stages = yaml.safe_load("\n".join(lines).replace("{{ python }}", "python ../"))["stages"]
    for name, stage in stages.items():
        if name == "code":
            continue
        module = stage["cmd"].split()[2]
        (named,) = (param["code.json"] for param in stage["params"] if isinstance(param, dict))
        assert named[0] == ("train" if module == "train_ahead" else module), name
        builds_nets = module in ("train", "train_ahead", "allowances", "plots", "report")
        assert "own" in named or not builds_nets, name


# The walk


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
