"""What becomes of the runs of a pool; tests/pipeline trains on real ones."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from study.errors import StudyError
from study.parallel.job import FailedRun, FinishedRun, Job, Outcome
from study.parallel.local import LocalPool, UnderWay
from study.parallel.pools import SCHEDULER, make_pool, train_all
from study.paths import RunKey
from tests.study.parallel.test_progress import job

RUN = FinishedRun({}, 1.5)


class Pool:
    """Workers that have done everything already."""

    about = "no worker"
    is_closed = False

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = outcomes

    def outcomes(
        self, jobs: Sequence[Job], under_way: UnderWay
    ) -> Iterator[tuple[Job, list[Outcome]]]:
        for each in jobs:
            under_way([each])
            yield each, [self._outcomes[key.seed] for key in each.keys]

    def close(self) -> None:
        self.is_closed = True


def key(seed: int) -> RunKey:
    return RunKey("own", "m", seed)


def train(pool: Pool, kept: Any) -> dict[RunKey, str]:
    return train_all(cast(LocalPool, pool), {job(0, 1): 2.0, job(2): 1.0}, kept)


def test_runs_that_fail_in_training_or_after_it_are_told_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def kept(run: RunKey, outcome: Outcome) -> Outcome:
        return FailedRun("no room") if run == key(2) else outcome

    pool = Pool(RUN, FailedRun("it diverged"), RUN)
    assert train(pool, kept) == {key(1): "it diverged", key(2): "no room"}
    assert pool.is_closed
    said = capsys.readouterr()
    assert said.out.splitlines() == ["3 runs to train on no worker", "own m 0: 1.5 s"]
    assert said.err.splitlines() == ["FAILED own m 1: it diverged", "FAILED own m 2: no room"]


def test_an_interrupt_ends_the_workers() -> None:
    def interrupted(run: RunKey, outcome: Outcome) -> Outcome:
        raise KeyboardInterrupt

    pool = Pool(RUN, RUN, RUN)
    with pytest.raises(KeyboardInterrupt):
        train(pool, interrupted)
    assert pool.is_closed


def test_a_cluster_without_dask_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(SCHEDULER, "tcp://127.0.0.1:8786")
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "study.parallel.cluster", raising=False)
    with pytest.raises(StudyError, match="MIXUP_SCHEDULER needs the package distributed"):
        make_pool(1, 1, tmp_path)
