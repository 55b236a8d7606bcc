"""The stage that reads one's own data: two files, both or none."""

import hashlib
import json
from pathlib import Path

import pytest

from study.data.dataset import load_dataset
from tests.commands import call

ROWS = "age,species\n" + "1,cat\n2,dog\n1,dog\n3,cat\n" * 5


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    study = tmp_path / "study"
    study.mkdir()
    (tmp_path / "my.csv").write_text(ROWS)
    (study / "params.yaml").write_text("own:\n  path: ../my.csv\n  target: species\n")
    monkeypatch.chdir(study)
    return study


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("data/*"))


def test_data_and_description_are_written(folder: Path) -> None:
    assert call("stages.read_data") == (0, "")
    assert written(folder) == ["own.json", "own.npz"]
    dataset = load_dataset("data/own.npz")
    assert dataset.inputs[:4].tolist() == [[1], [2], [1], [3]]
    assert dataset.labels[:4].tolist() == [0, 1, 1, 0]
    description = json.loads((folder / "data" / "own.json").read_text())
    assert description["source"] == "../my.csv"
    assert description["class_names"] == ["cat", "dog"]
    assert description["sha256"] == hashlib.sha256(ROWS.encode()).hexdigest()


def test_equal_data_give_equal_bytes(folder: Path) -> None:
    call("stages.read_data")
    before = {path.name: path.read_bytes() for path in folder.glob("data/*")}
    call("stages.read_data")
    assert {path.name: path.read_bytes() for path in folder.glob("data/*")} == before


def test_nothing_is_written_of_bad_data(folder: Path) -> None:
    (folder.parent / "my.csv").write_text(ROWS + "4,\n")
    status, said = call("stages.read_data")
    assert status == 1
    assert said.startswith("error: ../my.csv: row 22: column species, the target, is missing")
    assert said.count("\n") == 1
    assert written(folder) == []


def test_what_was_written_stays_where_the_data_turn_bad(folder: Path) -> None:
    call("stages.read_data")
    before = (folder / "data" / "own.npz").read_bytes()
    (folder.parent / "my.csv").write_text("")
    assert call("stages.read_data")[0] == 1
    assert (folder / "data" / "own.npz").read_bytes() == before
    assert written(folder) == ["own.json", "own.npz"]
