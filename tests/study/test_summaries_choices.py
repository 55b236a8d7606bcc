"""Tables of what runs chose, and of a baseline that is allowed to choose."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from study.errors import FileError
from study.files import SUMS, sums
from study.paths import RunKey, run_folder
from study.summaries import ALLOWANCES, MEASURED, against_baseline, choices_table, counted
from study.tables import measures_table

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
    assert counted(table).to_numpy().tolist() == [["1.0", "0 1", 2], ["0.2", "0", 1]]


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    write(tmp_path, CHOSEN[0], 1)
    file = run_folder(CHOSEN[0], tmp_path) / "choice.csv"
    file.write_text(file.read_text().replace("0.2", "0.3"))
    with pytest.raises(FileError, match="checksum"):
        choices_table(CHOSEN, tmp_path)


def test_without_a_choice_the_table_is_empty(tmp_path: Path) -> None:
    assert choices_table(KEYS, tmp_path).empty


METRICS = [metric for metrics in MEASURED.values() for metric in metrics.values()]
METHODS = ["baseline", "input", "manifold"]


def measures(methods: list[str] = METHODS, n: int = 4, experiment: str = "e"):
    rng = np.random.default_rng(0)
    return measures_table(
        {
            RunKey(experiment, method, seed): {metric: rng.normal() for metric in METRICS}
            for method in methods
            for seed in range(n)
        }
    )


def test_each_side_is_compared_with_each_baseline_seed_by_seed() -> None:
    table = measures()
    found = against_baseline(table)
    assert list(found) == ALLOWANCES
    # each score's sides squared, for every method, without the baseline against itself
    assert len(found) == 3 * (9 + 9 + 4) - (3 + 3 + 2)
    values = table.pivot(index="seed", columns=["method", "metric"], values="value")
    for row in found.itertuples():
        of_method = values[row.method, MEASURED[row.score][row.allowed]]
        of_baseline = values["baseline", MEASURED[row.score][row.baseline_allowed]]
        expected = stats.ttest_rel(of_method, of_baseline).confidence_interval()
        assert row.n == 4
        assert row.difference == pytest.approx(of_method.mean() - of_baseline.mean())
        assert (row.low, row.high) == pytest.approx((expected.low, expected.high))
    assert not found.duplicated(["score", "method", "allowed", "baseline_allowed"]).any()


def test_experiments_keep_their_order_and_those_without_a_baseline_are_passed_over() -> None:
    tables = [measures(["input"], experiment="d"), measures(experiment="z"), measures()]
    found = against_baseline(pd.concat(tables))
    assert found["experiment"].unique().tolist() == ["z", "e"]


def test_one_seed_has_no_interval_and_no_baseline_no_comparison() -> None:
    assert against_baseline(measures(n=1))["low"].isna().all()
    none = against_baseline(measures(["input", "manifold"]))
    assert list(none) == ALLOWANCES
    assert none.empty
