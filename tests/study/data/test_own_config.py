"""The section own."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from study.data.own import read_own
from study.data.own_config import OwnDataConfig
from study.errors import StudyError
from study.params import ParamsError, check


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({}, "own: set either path or name"),
        ({"path": ""}, r"own\.path .*at least 1 character"),
        ({"path": "a.csv", "name": "wine"}, "own: set either path or name"),
        ({"name": "whine"}, "own.name must be 'digits'|own.name.*'wine'"),
        ({"path": "a.csv", "target": "a", "group": "a"}, "own.group must not be the target"),
        ({"path": "a.csv", "target": ["a", "b"], "group": "b"}, "own.group must not be the target"),
        ({"path": "a.csv", "drop": ["a", "a"]}, "own.drop must not repeat an entry"),
        ({"path": "a.csv", "separator": ",,"}, "own.separator must be auto or one character"),
        ({"path": "a.csv", "separator": ""}, "own.separator must be auto or one character"),
        ({"path": "a.csv", "encoding": "utf-9"}, "own.encoding must be auto or an encoding"),
        ({"path": "a.csv", "encoding": "rot13"}, "own.encoding must be auto or an encoding"),
        ({"path": "a.csv", "smallest_class": 1}, "own.smallest_class"),
        ({"path": "a.csv", "traget": "a"}, "own.traget is not a known key: did you mean target"),
    ],
)
def test_a_section_that_cannot_be_used(section: dict[str, Any], said: str) -> None:
    with pytest.raises(ParamsError, match=said):
        check(OwnDataConfig, section, "own")


@pytest.mark.parametrize("key", ["target", "group"])
def test_columns_of_what_has_none(tmp_path: Path, key: str) -> None:
    (tmp_path / "cat").mkdir()
    with pytest.raises(StudyError, match=f"own.{key} names columns, and own.format = images"):
        read_own(OwnDataConfig(path=str(tmp_path), **{key: "a"}))
    shutil.rmtree(tmp_path / "cat")
