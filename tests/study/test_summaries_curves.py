from pathlib import Path

import numpy as np
import pytest

from study.errors import StudyError
from study.paths import RunKey, run_folder
from study.summaries import mean_curves
from tests.sums import write_summed

HEADER = "step,loss,train_loss,train_accuracy,test_loss,test_accuracy,k,lam\n"


def write_history(root: Path, key: RunKey, *rows: str) -> None:
    text = HEADER + "".join(f"{row}\n" for row in rows)
    write_summed(run_folder(key, root), "history.csv", text)


KEYS = [RunKey("e", "z", 5), RunKey("e", "z", 2), RunKey("e", "a", 5)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_history(tmp_path, KEYS[0], "100,1,2,0.5,4,0.25,,", "200,0.5,1,1,3,0.75,,")
    write_history(tmp_path, KEYS[1], "100,3,6,0.7,8,0.75,,", "200,0.5,1,1,5,0.25,,")
    write_history(tmp_path, KEYS[2], "100,9,8,0.1,7,0.2,3,0.5", "200,6,5,0.3,4,0.4,0,0.9")
    write_history(tmp_path, RunKey("e", "z", 0), "100,1e9,1e9,0,1e9,0,,")
    return tmp_path


def test_averages_each_step_over_the_seeds(root: Path):
    curves = mean_curves(KEYS, root)
    assert list(curves) == ["experiment", "method", "step", "quantity", "mean", "std", "n"]
    assert list(curves.index) == list(range(2 * 2 * 5))
    found = curves.set_index(["method", "quantity", "step"]).sort_index()
    assert found.loc[("z", "test_loss", 100)].drop("experiment").tolist() == [6, 8**0.5, 2]
    assert found.loc[("z", "test_accuracy", 200), "mean"] == pytest.approx(0.5)
    assert found.loc[("z", "train_loss", 200), "std"] == 0
    one_seed = found.loc[("a", "loss", 200)]
    assert (one_seed["mean"], one_seed["n"]) == (6, 1)
    assert np.isnan(one_seed["std"])


def test_keeps_methods_in_order_and_steps_ascending(root: Path):
    curves = mean_curves(KEYS, root)
    assert curves["method"].tolist() == ["z"] * 10 + ["a"] * 10
    assert curves["quantity"].tolist()[:4] == ["loss", "loss", "train_loss", "train_loss"]
    assert curves["step"].tolist() == [100, 200] * 10


def test_names_a_run_that_is_missing_and_how_to_make_it(root: Path):
    with pytest.raises(StudyError, match=r"e.a.6.history\.csv is missing: run `dvc repro`"):
        mean_curves([*KEYS, RunKey("e", "a", 6)], root)
