"""Files and folders appear whole or not at all."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from study.errors import FileError
from study.files import SUMS, check_sum, whole_file, whole_folder
from tests.sums import write_sums

Whole = Callable[[Path], AbstractContextManager[Path]]


def write_half(path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_text("half")
        raise OSError("disk is full")


def make_half(path: Path) -> None:
    with whole_folder(path) as temporary:
        (temporary / "half").touch()
        raise OSError("disk is full")


def test_failed_file_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    with whole_file(path) as temporary:
        temporary.write_text("old")
    with pytest.raises(OSError, match="disk is full"):
        write_half(path)
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_a_full_disk_is_told_of_the_file_that_was_to_be(whole: Whole, tmp_path: Path) -> None:
    path = tmp_path / "a"
    with pytest.raises(OSError, match="No space left") as raised, whole(path):
        os.write(os.open("/dev/full", os.O_WRONLY), b"x")
    assert raised.value.filename == str(path)


def test_an_error_that_names_its_file_keeps_the_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised, whole_file(tmp_path / "a"):
        (tmp_path / "other").read_text()
    assert raised.value.filename == str(tmp_path / "other")


def test_folder_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "0"
    for name in ("first", "second"):
        with whole_folder(path) as temporary:
            (temporary / name).touch()
    assert [child.name for child in path.iterdir()] == ["second"]
    assert list(path.parent.iterdir()) == [path]


def test_failed_folder_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "0"
    with whole_folder(path) as temporary:
        (temporary / "kept").touch()
    with pytest.raises(OSError, match="disk is full"):
        make_half(path)
    assert [child.name for child in path.iterdir()] == ["kept"]
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_folder_is_not_deleted_before_the_new_one_is_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "0"
    path.mkdir()

    def killed(*_: object, **_options: object) -> None:
        raise KeyboardInterrupt

    def replace() -> None:
        with whole_folder(path) as temporary:
            (temporary / "new").touch()
            monkeypatch.setattr(shutil, "rmtree", killed)

    with pytest.raises(KeyboardInterrupt):
        replace()
    assert [child.name for child in path.iterdir()] == ["new"]


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_what_a_killed_process_left_goes_and_what_a_living_one_writes_stays(
    whole: Whole, tmp_path: Path
) -> None:
    dead = 2**22 - 1  # no process has it
    killed, living = (tmp_path / f".0-{process}-x.tmp" for process in (dead, os.getppid()))
    killed.mkdir()
    living.mkdir()
    with whole(tmp_path / "0") as temporary:
        temporary.touch()
    assert not killed.exists()
    assert living.exists()


def test_folder_is_as_readable_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with whole_folder(tmp_path / "made"):
        pass
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "made")}
    assert len(modes) == 1


def test_whole_folder_leaves_a_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "runs"
    path.write_text("kept")
    with pytest.raises(NotADirectoryError, match="runs"), whole_folder(path):
        pytest.fail("the work would be lost")
    assert path.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [path]


class TestSums:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "a").write_bytes(b"aa")
        (tmp_path / "b").write_bytes(b"")
        write_sums(tmp_path)
        return tmp_path

    def test_files_as_they_were_written_pass(self, folder: Path) -> None:
        check_sum(folder / "a")
        check_sum(folder / "b")

    def test_other_programs_read_them(self, folder: Path) -> None:
        if not shutil.which("sha256sum"):
            pytest.skip("there is no sha256sum here")
        command = ["sha256sum", "--check", "--strict", SUMS]
        assert subprocess.run(command, cwd=folder, check=False).returncode == 0
        (folder / "b").write_bytes(b"b")
        assert subprocess.run(command, cwd=folder, check=False).returncode == 1

    @pytest.mark.parametrize("content", [b"ab", b"", b"aaa"])
    def test_a_changed_file_is_named(self, content: bytes, folder: Path) -> None:
        (folder / "a").write_bytes(content)
        with pytest.raises(FileError, match=r"a is damaged \(SHA256SUMS has another checksum\)"):
            check_sum(folder / "a")

    def test_a_file_that_takes_the_place_of_another_is_noticed(self, folder: Path) -> None:
        (folder / "a").replace(folder / "b")
        with pytest.raises(FileError, match="b is damaged"):
            check_sum(folder / "b")

    def test_changed_or_missing_sums_are_named(self, folder: Path) -> None:
        content = bytearray((folder / SUMS).read_bytes())
        content[0] ^= 1
        (folder / SUMS).write_bytes(content)
        with pytest.raises(FileError, match="SHA256SUMS"):
            check_sum(folder / "a")
        (folder / SUMS).unlink()
        with pytest.raises(FileError, match="SHA256SUMS is missing"):
            check_sum(folder / "a")
