"""What own.path may name, and what must hold while it is read."""

import os
from pathlib import Path
from typing import Any

import pytest

from study.data import own
from study.data.own import read_own
from study.data.own_config import OwnDataConfig
from study.errors import StudyError
from tests.study.data.good_table import csv, read


@pytest.mark.parametrize("format", ["csv", "parquet", "npz"])
def test_a_folder_in_place_of_a_file(tmp_path: Path, format: str) -> None:
    with pytest.raises(StudyError, match=f"is a folder, and own.format = {format} needs a file"):
        read_own(OwnDataConfig(path=str(tmp_path), target="a", format=format))


@pytest.mark.parametrize("format", ["images", "idx"])
def test_a_file_in_place_of_a_folder(tmp_path: Path, format: str) -> None:
    with pytest.raises(StudyError, match=f"is a file, and own.format = {format} needs a folder"):
        read(tmp_path, csv(), target=None, format=format)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no\.csv: is not there: own\.path is relative"):
        read_own(OwnDataConfig(path=str(tmp_path / "no.csv"), target="a"))


def test_a_path_that_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "my.csv")  # reading it would wait for ever
    with pytest.raises(StudyError, match=r"my\.csv: is neither a file nor a folder"):
        read_own(OwnDataConfig(path=str(tmp_path / "my.csv"), target="a"))


def test_a_kind_that_no_name_tells(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"my\.dat: is of no kind.*set own\.format"):
        read(tmp_path, csv(), suffix=".dat")
    read(tmp_path, csv(), suffix=".dat", format="csv")


def test_a_table_larger_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "MAX_BYTES", 100)
    with pytest.raises(StudyError, match=r"more than the 100 allowed: take a sample"):
        read(tmp_path, csv())


def test_a_file_that_changes_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = own.encode_table

    def encode_while_somebody_writes(*words: Any) -> Any:
        with (tmp_path / "my.csv").open("a") as file:
            file.write("21,red,s1,cat\n")
        return encode(*words)

    monkeypatch.setattr(own, "encode_table", encode_while_somebody_writes)
    with pytest.raises(StudyError, match="changed while it was read: run again"):
        read(tmp_path, csv())
