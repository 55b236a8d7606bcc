from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from study.errors import StudyError
from study.paths import RunKey
from study.tables import MEASURES, measures_table, read_table, write_table


def test_writes_the_same_short_lines_everywhere(tmp_path: Path):
    table = measures_table(
        {RunKey("e", "None", 3): {"third": 1 / 3, "tiny": 1.23456789e-9, "none": np.nan}}
    )
    write_table(tmp_path / "new" / "table.csv", table)
    assert (tmp_path / "new" / "table.csv").read_bytes() == (
        b"experiment,method,seed,metric,value\n"
        b"e,None,3,third,0.333333\n"
        b"e,None,3,tiny,1.23457e-09\n"
        b"e,None,3,none,\n"
    )


def test_reads_back_what_was_written(tmp_path: Path):
    table = measures_table(
        {RunKey("e", "None", 3): {"half": 0.5, "none": np.nan, "endless": np.inf, "NA": 2.0}}
    )
    write_table(tmp_path / "table.csv", table)
    pd.testing.assert_frame_equal(read_table(tmp_path / "table.csv", MEASURES), table)


def test_reads_a_table_without_rows(tmp_path: Path):
    write_table(tmp_path / "table.csv", measures_table({}))
    assert list(read_table(tmp_path / "table.csv", MEASURES)) == MEASURES


def test_missing_file(tmp_path: Path):
    with pytest.raises(StudyError, match=r"gone\.csv is missing: run `dvc repro`"):
        read_table(tmp_path / "gone.csv", MEASURES)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "No columns"),
        (b"experiment,method,seed\n", "no column metric, value"),
        (b"a,b\n1,2,3\n1,2,3,4\n", "Expected"),
        (b"\xff\xfe\xfa\n", "codec"),
        (b"experiment,method,seed,metric,value\ne,m,0,x,0.5", "it ends within a line"),
        (b"experiment,method,seed,metric,value\ne,m,zero,x,0.5\n", "column seed holds something"),
        (b"experiment,method,seed,metric,value\ne,m,,x,0.5\n", "column seed holds an empty cell"),
    ],
)
def test_damaged_file(tmp_path: Path, content: bytes, reason: str):
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(StudyError, match=rf"table\.csv is damaged \(.*{reason}.*delete it"):
        read_table(tmp_path / "table.csv", MEASURES)


def test_a_history_without_rows_is_damaged(tmp_path: Path):
    (tmp_path / "history.csv").write_bytes(b"step,test_loss\n")
    with pytest.raises(StudyError, match=r"history\.csv is damaged \(no rows"):
        read_table(tmp_path / "history.csv", ["step", "test_loss"])
