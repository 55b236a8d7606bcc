"""What a source says: which changes mean nothing, and which mean something."""

import ast

import pytest

from study.syntax import imported_names, meaning

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


NESTED = """
import a
with open(b) as c:
    import d
if a:
    import e
elif d:
    import f
else:
    import g
for one in a:
    import h
else:
    import i
async def wait():
    async for one in a:
        import j
    while a:
        import k
    else:
        import l
class Thing:
    def of(self):
        import m
try:
    import n
except ValueError:
    import o
else:
    import p
finally:
    import q
try:
    import r
except* ValueError:
    import s
match a:
    case 1 if (lambda: b)():
        import t
    case _:
        from u import v
"""


def test_no_place_hides_an_import() -> None:
    names = sorted(imported_names(ast.parse(NESTED)))
    assert names == [*(name for name in "adefghijklmnopqrst"), "u.v"]


@pytest.mark.parametrize("place", "adefghijklmnopqrst")
def test_no_place_lets_a_docstring_mean_something(place: str) -> None:
    line = next(line for line in NESTED.splitlines() if line.endswith(f"import {place}"))
    indent = line.removesuffix(f"import {place}")
    noted = NESTED.replace(f"{line}\n", f"{line}\n{indent}'A note.'\n")
    assert noted != NESTED
    assert meaning(noted) == meaning(NESTED)
