"""The workers that there are, and what they do together."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from study.errors import StudyError
from study.parallel.job import FailedRun, Job, Outcome
from study.parallel.local import LocalPool
from study.parallel.progress import Progress
from study.paths import RunKey

if TYPE_CHECKING:
    from study.parallel.cluster import ClusterPool

SCHEDULER = "MIXUP_SCHEDULER"
"""Environment variable: the address of a Dask scheduler, whose workers train then."""


def make_pool(workers: int, n_jobs: int, cores: Path) -> LocalPool | ClusterPool:
    """Find the workers, here or on a cluster.

    Args:
        workers: that this machine has room for.
        n_jobs: that there are to do.
        cores: as of `LocalPool`.

    Raises:
        StudyError: as of `ClusterPool`, or Dask is not installed.
    """
    if address := os.environ.get(SCHEDULER):
        try:
            from study.parallel.cluster import ClusterPool
        except ImportError as error:
            raise StudyError(f"{SCHEDULER} needs the package {error.name}: install it") from error
        return ClusterPool(address)
    return LocalPool(min(workers, n_jobs), cores, workers)


def train_all(
    pool: LocalPool | ClusterPool,
    costs: Mapping[Job, float],
    keep_run: Callable[[RunKey, Outcome], Outcome],
) -> dict[RunKey, str]:
    """Train many runs, and close the pool whatever happens.

    Args:
        pool: the workers.
        costs: the jobs in the order in which they start, and what each is expected to cost.
        keep_run: gets each run as soon as it ends, and says what became of it then.

    Returns:
        Why runs failed, of those that did.
    """
    failed: dict[RunKey, str] = {}
    try:
        with closing(Progress(costs, pool.about)) as progress:
            for job, outcomes in pool.outcomes(list(costs), progress.show):
                runs = dict(zip(job.keys, outcomes, strict=True))
                runs = {key: keep_run(key, run) for key, run in runs.items()}
                progress.end(job, list(runs.values()))
                failed |= {k: run.reason for k, run in runs.items() if isinstance(run, FailedRun)}
    finally:
        pool.close()
    return failed
