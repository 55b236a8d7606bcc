"""Tables of what runs chose."""

from pathlib import Path

import pytest

from study.errors import FileError
from study.files import SUMS, sums
from study.paths import RunKey, run_folder
from study.summaries import choices_table, count_choices

CHOSEN = [RunKey("own", "chosen", seed) for seed in (3, 1, 2)]
KEYS = [RunKey("own", "baseline", 1), *CHOSEN]


def write(root: Path, key: RunKey, chosen: int) -> None:
    rows = [f"{alpha},{0 if alpha < 1 else '0 1'},0.5,{int(i == chosen)}"
            for i, alpha in enumerate((0.2, 1.0))]  # fmt: skip
    text = "\n".join(["alpha,eligible,validation_nll,chosen", *rows]) + "\n"
    files = {"choice.csv": text.encode()}
    folder = run_folder(key, root)
    folder.mkdir(parents=True)
    for name, content in (files | {SUMS: sums(files)}).items():
        (folder / name).write_bytes(content)


def test_lists_the_chosen_row_of_the_runs_that_had_a_choice(tmp_path: Path) -> None:
    for key, chosen in zip(CHOSEN, (1, 0, 1), strict=True):
        write(tmp_path, key, chosen)
    table = choices_table(KEYS, tmp_path)
    assert table.to_numpy().tolist() == [
        ["own", "chosen", 3, "alpha", "1.0"],
        ["own", "chosen", 3, "eligible", "0 1"],
        ["own", "chosen", 1, "alpha", "0.2"],
        ["own", "chosen", 1, "eligible", "0"],
        ["own", "chosen", 2, "alpha", "1.0"],
        ["own", "chosen", 2, "eligible", "0 1"],
    ]
    assert count_choices(table).to_numpy().tolist() == [["1.0", "0 1", 2], ["0.2", "0", 1]]


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    write(tmp_path, CHOSEN[0], 1)
    file = run_folder(CHOSEN[0], tmp_path) / "choice.csv"
    file.write_text(file.read_text().replace("0.2", "0.3"))
    with pytest.raises(FileError, match="checksum"):
        choices_table(CHOSEN, tmp_path)


def test_without_a_choice_the_table_is_empty(tmp_path: Path) -> None:
    assert choices_table(KEYS, tmp_path).empty
