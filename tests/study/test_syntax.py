"""What a source says: which changes mean nothing, and which mean something."""

import pytest

from study.syntax import meaning

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
