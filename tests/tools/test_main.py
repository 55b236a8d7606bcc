"""The list of commands, and the folders in which they make sense."""

import sys
from pathlib import Path

import pytest

from tests.commands import call

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("show_results", 1, "error: this folder holds no study: it has no dvc.yaml\n"),
        ("show_results --help", 0, ""),
        ("new_study", 2, "the following arguments are required"),
    ],
)
def test_commands_say_that_a_folder_holds_no_study(
    words: str, status: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    ended, line = call("tools", *words.split())
    assert ended == status
    assert said in line
