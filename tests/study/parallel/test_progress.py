"""What a person sees of many runs."""

import sys

import pytest
from tqdm import tqdm

from study.parallel import progress
from study.parallel.progress import Progress


def test_the_first_line_is_not_behind_the_bar(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def on_a_terminal(**settings: object) -> tqdm:
        return tqdm(**(settings | {"disable": False, "file": None}))

    monkeypatch.setattr(progress, "tqdm", on_a_terminal)
    monkeypatch.setattr("sys.stderr", sys.stdout)  # as on a terminal, in one stream
    Progress({}, "2 worker processes").close()
    first, *_ = capfd.readouterr().out.splitlines()
    assert first == "0 runs to train on 2 worker processes"
