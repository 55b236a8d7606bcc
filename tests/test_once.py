"""What tests share is made once, whole, also if the first to make it fails."""

from pathlib import Path

import pytest

from tests.once import once


def test_the_first_to_ask_makes_it_and_one_that_fails_leaves_it_to_the_next(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    asked: list[Path] = []

    def make(folder: Path) -> None:
        asked.append(folder)
        assert list(folder.iterdir()) == []
        (folder / "file").touch()
        if len(asked) == 1:
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011
        once(tmp_path_factory, "of test_once", make)
    for _ in range(2):
        folder = once(tmp_path_factory, "of test_once", make)
        assert (folder / "file").exists()
    assert asked == [folder] * 2
