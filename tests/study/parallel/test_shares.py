"""How runs are shared out."""

from pathlib import Path

import numpy as np
import pytest

from study.data.dataset import Dataset, save_dataset
from study.parallel.shares import COHORT, jobs_with_costs, parts
from study.training.experiment import RunConfig
from tests.study.parallel.test_job import config


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


def test_the_longest_job_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    labels = np.arange(8) % 2
    dataset = Dataset(np.zeros((8, 2), np.float32), labels, np.arange(8), np.zeros(8, dtype=bool))
    save_dataset("data/test.npz", dataset)
    runs = [*seeds(2, steps=6), *seeds(3, steps=6000), *seeds(1, steps=60)]
    costs = jobs_with_costs(runs, "a version", workers=1)
    assert [[one.training.steps for one in job.configs] for job in costs] == [
        [6000] * 3,
        [60],
        [6] * 2,
    ]
    assert list(costs.values()) == sorted(costs.values(), reverse=True)
    assert {(job.data, job.code, job.checkpoints) for job in costs} == {
        (tmp_path / "data/test.npz", "a version", tmp_path / "checkpoints")
    }
