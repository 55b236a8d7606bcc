"""What a person sees while figures are drawn."""

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from study.figures.progress import wait_for_figures


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_experiment_is_a_line_once_all_its_figures_are_drawn(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    never = Event()
    with ThreadPoolExecutor(3) as pool:
        wait_for_figures(
            {
                pool.submit(lambda: 2): "spirals",
                pool.submit(lambda: never.wait(0.2) or 1): "digits",
                pool.submit(lambda: 3): "spirals",
            }
        )
    assert capsys.readouterr().out.splitlines() == ["spirals: 5 figures", "digits: 1 figure"]


def test_a_terminal_has_a_bar_instead(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with ThreadPoolExecutor(1) as pool:
        wait_for_figures({pool.submit(lambda: 2): "spirals"})
    assert capsys.readouterr().out == ""
    assert "2 figures |" in terminal.getvalue()


def test_the_first_failure_is_raised() -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(ZeroDivisionError):
        wait_for_figures({pool.submit(lambda: 1 // 0): "spirals"})
