"""Own functions: found, loaded anew, digested by meaning, and their faults told in one line."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from study.errors import StudyError
from study.training.own_code import digest, load_function

NET = "my_net.py:build"
SOURCES = {
    "my_net.py": "import math\nfrom parts.sizes import width\ndef build(n):\n    return width(n)\n",
    "parts/sizes.py": "import factors\ndef width(n):\n    return factors.TWO * n\n",
    "factors.py": "TWO = 2\n",
    "beside.py": "raise RuntimeError('nobody imports this')\n",
}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path / "study", SOURCES)


def written(folder: Path, sources: dict[str, str]) -> Path:
    for name, text in sources.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


# Loading


def test_a_function_is_loaded_with_the_modules_beside_it(folder: Path) -> None:
    assert load_function(NET, folder)(3) == 6


def test_the_study_is_the_folder_one_is_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert load_function(NET)(3) == 6
    assert digest(NET) == digest(NET, folder)


def test_a_file_in_a_folder_imports_from_the_study(folder: Path) -> None:
    (folder / "parts/net.py").write_text("from factors import TWO\ndef f():\n    return TWO\n")
    assert load_function("parts/net.py:f", folder)() == 2


@pytest.mark.parametrize("file", ["my_net.py", "parts/sizes.py", "factors.py"])
def test_an_edit_is_seen_by_the_next_load_however_soon(folder: Path, file: str) -> None:
    assert load_function(NET, folder)(3) == 6
    text = (folder / file).read_text()
    edited = (
        text.replace("TWO = 2", "TWO = 4").replace(".TWO", ".TWO*2").replace("(n)\n", "(2*n)\n")
    )
    assert edited != text
    (folder / file).write_text(edited.replace("def build(2*n)", "def build(n)"))
    assert load_function(NET, folder)(3) == 12


def test_two_studies_may_name_their_files_alike(folder: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other", SOURCES | {"factors.py": "TWO = 3\n"})
    assert [load_function(NET, one)(1) for one in (folder, other, folder)] == [2, 3, 2]


def test_modules_of_others_stay(folder: Path) -> None:
    load_function(NET, folder)
    (folder / "alone.py").write_text("def f(): pass\n")
    load_function("alone.py:f", folder)
    others = sys.modules["factors"] = ModuleType("factors")
    load_function("alone.py:f", folder)
    assert sys.modules["factors"] is others


def test_nothing_is_written_beside_own_code(folder: Path) -> None:
    load_function(NET, folder)
    assert not list(folder.rglob("*.pyc"))


def test_code_of_the_study_itself_is_not_run_again() -> None:
    root = Path(__file__).parents[3]
    from mixup.models.cnn import CNN

    module = sys.modules["mixup.models.cnn"]
    net = load_function("mixup/models/cnn.py:CNN", root)((1, 4, 4), 2)
    assert type(net) is CNN
    assert sys.modules["mixup.models.cnn"] is module


# Faults, by what the user sees


@pytest.mark.parametrize(
    ("spec", "source", "says"),
    [
        ("my_net", "", "must be named 'FILE.py:FUNCTION'"),
        ("my_net.py", "", "must be named 'FILE.py:FUNCTION'"),
        ("my_net.py:", "", "must be named 'FILE.py:FUNCTION'"),
        ("my_net.py:a.b", "", "must be named 'FILE.py:FUNCTION'"),
        ("my_net.txt:build", "", "must be named 'FILE.py:FUNCTION'"),
        ("../my_net.py:build", "", "a file in the study's folder"),
        ("/my_net.py:build", "", "a file in the study's folder"),
        ("my_nets.py:build", "", "there is no file 'my_nets.py' here: did you mean my_net.py?"),
        (NET, "def biuld(): pass", "the file has no 'build': did you mean biuld?"),
        (NET, "from math import sin", "the file has no 'build'$"),
        (NET, "build = 3", "must be a function, got a int"),
        (NET, "x = 1\ndef build(:\n", r"my_net\.py, line 2: invalid syntax"),
        (NET, "import broken", r"broken\.py, line 1: "),
        (NET, "from . import factors", "cannot be read: relative imports cannot be followed"),
        (NET, "import nowhere", r"raises ModuleNotFoundError: .*'nowhere' \(my_net\.py, line 1\)"),
        (NET, "\nx = 1 / 0", r"raises ZeroDivisionError: division by zero \(my_net\.py, line 2\)"),
        (NET, "import sys\nsys.exit('bye')", r"raises SystemExit: bye \(my_net\.py, line 2\)"),
        (NET, "import pathlib", "another module 'pathlib': rename pathlib.py"),
    ],
)
def test_faults_are_told_in_one_line(folder: Path, spec: str, source: str, says: str) -> None:
    written(folder, {"my_net.py": source, "broken.py": "def", "pathlib.py": ""})
    with pytest.raises(StudyError, match=says) as caught:
        load_function(spec, folder)
    assert "\n" not in str(caught.value)


def test_what_a_function_raises_is_told_with_its_place(folder: Path) -> None:
    (folder / "factors.py").write_text(
        "class TWO:\n    def __mul__(self, n): raise OSError('a\\nb')\nTWO = TWO()\n"
    )
    build = load_function(NET, folder)
    with pytest.raises(StudyError, match=rf"^{NET} raises OSError: a b \(factors\.py, line 2\)$"):
        build(3)


def test_text_that_is_not_utf8_is_told(folder: Path) -> None:
    (folder / "my_net.py").write_bytes(b"# \xff\ndef build(): pass\n")
    for look in (load_function, digest):
        with pytest.raises(StudyError, match="cannot be read: 'utf-8' codec"):
            look(NET, folder)


# Digests


@pytest.mark.parametrize(
    ("file", "text", "changes"),
    [
        ("my_net.py", '"""A net."""\n' + SOURCES["my_net.py"].replace("):", "):  # wide"), False),
        ("factors.py", "TWO = (\n    2\n)\n", False),
        ("beside.py", "x = 1", False),
        ("params.yaml", "a: 1", False),
        ("my_net.py", SOURCES["my_net.py"].replace("width(n)", "width(-n)"), True),
        ("parts/sizes.py", SOURCES["parts/sizes.py"].replace("*", "+"), True),
        ("factors.py", "TWO = 3\n", True),
        ("parts/__init__.py", "x = 1", True),
        ("math.py", "x = 1", True),
    ],
)
def test_a_digest_is_of_the_code_that_runs(
    folder: Path, file: str, text: str, changes: bool
) -> None:
    before = digest(NET, folder)
    assert len(before) == 16
    written(folder, {file: text})
    assert (digest(NET, folder) != before) is changes


def test_a_digest_runs_nothing(folder: Path) -> None:
    (folder / "my_net.py").write_text("raise RuntimeError\n")
    assert digest(NET, folder)


def test_a_digest_does_not_depend_on_where_the_study_is(folder: Path, tmp_path: Path) -> None:
    assert digest(NET, folder) == digest(NET, written(tmp_path / "moved", SOURCES))


def test_a_missing_file_has_no_digest(folder: Path) -> None:
    with pytest.raises(StudyError, match="there is no file"):
        digest("other.py:build", folder)
