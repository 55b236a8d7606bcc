"""How commands end: what they print, where, and with which exit status."""

import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from study.command import run
from study.errors import FileError, StudyError
from tests.commands import COMMANDS, call
from tests.processes import started, wait_until

ROOT = Path(__file__).parents[2]


def failing(error: BaseException) -> None:
    def main() -> None:
        raise error

    run(main)


@pytest.fixture(autouse=True)
def outside_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIXUP_DEBUG", raising=False)
    monkeypatch.chdir("/")


@pytest.mark.parametrize(
    ("error", "said", "status"),
    [
        (StudyError("what to do"), "error: what to do", 1),
        (FileError("a/b"), "error: a/b is missing: run `dvc repro` to make it", 1),
        (OSError(errno.ENOSPC, "x", "a/b"), "error: a/b: no space is left on the disk", 1),
        (PermissionError(errno.EACCES, "x", "a"), "error: a: permission denied", 1),
        (FileExistsError(errno.EEXIST, "x", "a"), "error: a: a file is where a folder should b", 1),
        (NotADirectoryError(errno.ENOTDIR, "x", "a"), "error: a: a file is where a folder sh", 1),
        (IsADirectoryError(errno.EISDIR, "x", "a"), "error: a: a folder is where a file should", 1),
        (OSError(errno.EROFS, "x", "a", None, "b"), "error: a to b: the disk is read-only", 1),
        (OSError(errno.EIO, "Input/output error"), "error: Input/output error", 1),
        (MemoryError("9 GB"), "error: not enough memory (9 GB)", 1),
        (KeyError("a\nb"), "error: KeyError: 'a\\nb' (set MIXUP_DEBUG=1 for the traceback)", 1),
        (ValueError("a\nb"), "error: ValueError: a b (set MIXUP_DEBUG=1 for the traceback)", 1),
        (KeyboardInterrupt(), "interrupted", 130),
        (BrokenPipeError(), "", 1),
    ],
)
def test_an_error_is_one_line_on_stderr(
    error: BaseException, said: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        failing(error)
    assert stopped.value.code == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(said)
    assert captured.err.count("\n") == bool(said)


def test_details_are_for_those_who_ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MIXUP_DEBUG", "1")
    with pytest.raises(SystemExit):
        failing(ValueError("no"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["error: ValueError: no", "Traceback (most recent call last):"]


def test_success_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    run(lambda: None)
    assert capsys.readouterr() == ("", "")


def start(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **{"stdout": subprocess.PIPE, **options},  # type: ignore[call-overload]
    )


def test_all_commands_are_known() -> None:
    assert {"stages.train", "stages.report", "tools.compare", "tools.show_results"} < set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_wrong_words_exit_with_2(command: str) -> None:
    status, said = call(command, "--no-such-option")
    assert status == 2
    assert re.search(r"error: (unrecognized arguments|the following arguments)", said)
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("stages.train spirls baseline 0", 1, "spirls is missing: did you mean spirals?"),
        ("stages.train spirals baselin 0", 1, "baselin is missing: did you mean baseline?"),
        ("stages.train spirals baseline -1", 1, "seed should be greater than or equal to 0, got"),
        ("stages.train spirals baseline one", 2, "invalid int value: 'one'"),
        ("stages.train ../spirals baseline 0", 1, "experiments.../spirals is missing"),
        ("tools.compare no-such-revision", 1, "'no-such-revision' is not a commit, branch, tag"),
        ("tools.compare HEAD:mixup", 1, "'HEAD:mixup' is not a commit, branch, tag or DVC"),
        ("tools.sweep mixup.alpha --base nope", 1, "'nope' is not a commit, branch, tag or DVC"),
        ("tools.sweep mixup..alpha", 1, "mixup..alpha is not in params.yaml"),
        ("tools nope", 2, "there is no command 'nope'"),
        ("tools.sweep", 2, "the following arguments are required: param\n"),
    ],
)
def test_words_that_name_nothing(
    words: str, status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (ROOT / ".git").exists() and words.startswith("tools") and status == 1:
        pytest.skip("needs Git")
    monkeypatch.chdir(ROOT)
    ended, line = call(*words.split())
    assert ended == status
    assert said in line
    assert "Traceback" not in line
    assert status == 2 or line.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "status", "said"),
    [("", 0, "usage: python stages NAME"), ("-h", 0, "usage: python stages NAME"),
     ("trian", 2, "there is no stage 'trian'"), ("__init__", 2, "there is no stage '__init__'"),
     ("train", 2, "usage: train.py"), ("-m stages.train", 2, "usage: python -m stages.train")],
)  # fmt: skip
def test_stages_are_named_as_one_types_them(word: str, status: int, said: str) -> None:
    words = word.split() if word.startswith("-m") else ["stages", *word.split()]
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == status
    assert said in (done.stderr if status else done.stdout)
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_output_that_cannot_be_written_is_no_success() -> None:
    with open("/dev/full", "w") as full:
        done = start("tools.show_results", stdout=full)
    assert (done.returncode, done.stderr) == (1, "error: no space is left on the disk\n")
    read, written = os.pipe()
    os.close(read)
    done = start("tools.show_results", stdout=written)
    os.close(written)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "interrupted\n"),
        ({"DVC_STAGE": "a"}, "interrupted: run the command again, and it goes on\n"),
    ],
    ids=["command", "stage"],
)
def test_an_interrupt_is_no_traceback(
    tmp_path: Path, environment: dict[str, str], said: str
) -> None:
    program = (
        "import pathlib, time\nfrom study.command import run\n"
        f"def main():\n    pathlib.Path({str(tmp_path / 'begun')!r}).touch(); time.sleep(3600)\n"
        "run(main)"
    )
    command = (sys.executable, "-c", program)
    own = os.environ | environment
    with started(*command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=own) as process:
        wait_until((tmp_path / "begun").exists, process)
        process.send_signal(signal.SIGINT)
        assert process.communicate()[1] == said
    assert process.returncode == 130


IMPORTING = [
    ["-m", "stages.plots"],
    ["-m", "tools.sweep", "mixup.alpha"],
    ["stages", "plots"],
]


@pytest.mark.slow
@pytest.mark.parametrize("words", IMPORTING, ids=" ".join)
def test_an_interrupt_of_the_imports_is_no_traceback(words: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", *words]
    with started(*command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        # The first of the many modules of which a large package consists.
        assert any(re.search(r"\| +(torch|matplotlib)\.", line) for line in process.stderr)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read().splitlines()
    assert not [line for line in rest if not line.startswith("import time:")][:-1]
    assert rest[-1] == "interrupted"
    assert process.returncode == 130


@pytest.mark.slow
def test_importing_commands_leaves_interrupts_alone() -> None:
    asked = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    for packages in ("stages.validate", "tools.show_results"):
        assert start("timeit", "-n1", "-r1", "-s", f"import {packages}", asked).stdout[:4] == "True"


@pytest.mark.slow
def test_a_command_collects_garbage_though_its_imports_do_not() -> None:
    program = (
        "import gc, sys; sys.argv[0] = '-m'; import stages; off = not gc.isenabled();"
        " from study.command import run; run(lambda: print(off, gc.isenabled()))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"


@pytest.mark.slow
def test_a_missing_output_names_its_stage(tmp_path: Path) -> None:
    """DVC knows it also where the name of a stage is made of a run's."""
    program = (
        "from study.command import run\nfrom study.errors import FileError\n"
        "def main():\n    raise FileError('runs/spirals/manifold/1/history.csv', 'no rows')\n"
        "run(main)"
    )
    done = start("timeit", "-n1", "-r1", program)
    assert "history.csv is damaged (no rows): delete it and run `dvc repro`" in done.stderr
    assert "(its stage alone: `dvc repro -s train_spirals_mixing@manifold-1`)" in done.stderr
