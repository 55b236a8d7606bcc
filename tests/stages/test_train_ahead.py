"""What is made of runs before and after workers train them; tests/pipeline trains them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stages.train_ahead import COHORT, check_nets, keep_run, parts
from study.ahead import ahead_folder, is_kept
from study.data.dataset import Dataset, save_dataset
from study.errors import StudyError
from study.files import SUMS, sums
from study.parallel.job import FailedRun, FinishedRun
from study.paths import CHECKPOINTS, RunKey, checkpoint_path, run_folder
from study.timings import training_seconds
from study.training.experiment import RunConfig
from study.training.record import write_run
from tests.study.parallel.test_job import config

KEY = RunKey("e", "m", 0)
FILES = {"model.safetensors": b"weights"}
RUN = FinishedRun(FILES | {SUMS: sums(FILES)}, 2.5)


@pytest.fixture(autouse=True)
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_that_is_kept_needs_no_checkpoint_and_has_its_time() -> None:
    mine, another = (checkpoint_path(key) for key in (KEY, KEY._replace(seed=1)))
    for file in (mine, another):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert keep_run(KEY, RUN, {KEY: "abc"}) == RUN
    assert is_kept("abc")
    assert [path for path in CHECKPOINTS.rglob("*") if path.is_file()] == [another]
    write_run(run_folder(KEY), dict(RUN.files))
    assert training_seconds([KEY]) == {KEY: 2.5}


def no_folder() -> FinishedRun:
    ahead_folder().write_text("a file is in the way")
    return RUN


def damaged_on_its_way() -> FinishedRun:
    return FinishedRun(RUN.files | {"model.safetensors": b"weight"}, 2.5)


@pytest.mark.parametrize("fault", [no_folder, damaged_on_its_way])
def test_a_run_that_cannot_be_kept_fails_and_the_others_go_on(
    fault: Callable[[], FinishedRun],
) -> None:
    checkpoint_path(KEY).parent.mkdir(parents=True)
    checkpoint_path(KEY).touch()
    outcome = keep_run(KEY, fault(), {KEY: "abc"})
    assert isinstance(outcome, FailedRun)
    assert not is_kept("abc")
    assert checkpoint_path(KEY).exists()


def seeds(n: int, **changes: object) -> list[RunConfig]:
    return [config(**changes).model_copy(update={"seed": seed}) for seed in range(n)]


@pytest.mark.parametrize(
    ("n", "workers", "sizes"), [(5, 2, [2, 3]), (3, 8, [1, 1, 1]), (2 * COHORT + 1, 1, [1, 30, 30])]
)
def test_workers_share_the_runs_of_a_kind(n: int, workers: int, sizes: list[int]) -> None:
    shares = list(parts(seeds(n), workers))
    assert sorted(map(len, shares)) == sizes
    assert [one for share in shares for one in share] == seeds(n)


def test_runs_of_another_recipe_or_data_set_are_never_trained_together() -> None:
    other_data = [one.model_copy(update={"data": "other"}) for one in seeds(2)]
    shares = list(parts([*seeds(2), *seeds(2, steps=6), *other_data], 1))
    assert [len(share) for share in shares] == [2, 2, 2]


def test_a_layer_that_a_net_lacks_is_found_in_every_experiment() -> None:
    labels = np.arange(8) % 2
    dataset = Dataset(np.zeros((8, 2), np.float32), labels, np.arange(8), np.zeros(8, dtype=bool))
    save_dataset("data/test.npz", dataset)
    settings = config().settings.model_copy(update={"eligible": ["nowhere"]})
    bad = config().model_copy(update={"experiment": "other", "settings": settings, "alpha": 2.0})
    for runs in ([bad, *seeds(2)], [*seeds(2), bad]):
        with pytest.raises(StudyError, match="nowhere"):
            check_nets(runs)
