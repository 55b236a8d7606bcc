"""What a worker does: train runs and hand their files over."""

from __future__ import annotations

import socket
import traceback
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from time import perf_counter

from study.code import code_version
from study.data.dataset import Dataset, load_dataset
from study.errors import StudyError
from study.paths import RunKey, checkpoint_path
from study.training.experiment import RunConfig

LAST_LINES = 4
# Only the ratio of the two matters, and only roughly: as measured on one core of 2024.
SECONDS_A_STEP, SECONDS_A_PRODUCT = 4e-4, 8e-11


@dataclass(frozen=True, eq=False)
class Job:
    """Runs that one worker trains in one go, all on the same data."""

    configs: tuple[RunConfig, ...]
    """One run, or the runs of a cohort."""
    data: Path
    code: str
    """The version of the code that asks for the runs; see `code_version`."""
    checkpoints: Path
    """Folder of the checkpoints, from which an interrupted run goes on."""

    @property
    def keys(self) -> tuple[RunKey, ...]:
        """The names of the runs."""
        return tuple(RunKey(c.experiment, c.method, c.seed) for c in self.configs)

    @property
    def name(self) -> str:
        """The runs in a few words."""
        first = " ".join(map(str, self.keys[0]))
        return first if len(self.keys) == 1 else f"{first} and {len(self.keys) - 1} more"


@dataclass(frozen=True)
class FinishedRun:
    """A run on its way from a worker."""

    files: dict[str, bytes]
    """Its folder's, SHA256SUMS included."""
    seconds: float
    """Wall time of its training; in a cohort its share."""


@dataclass(frozen=True)
class FailedRun:
    """Why there is no run: the last lines of what went wrong."""

    reason: str


Outcome = FinishedRun | FailedRun


def do_job(job: Job, dataset: Dataset | None = None) -> list[Outcome]:
    """Train the runs of ``job``; one that fails takes no other with it.

    Args:
        job: the runs.
        dataset: their data, where the worker cannot read ``job.data``.

    Returns:
        What became of each run, in the order of ``job.configs``.
    """
    try:
        return _train(job, dataset)
    except StudyError as error:
        return failed(job, str(error))
    except Exception:  # whatever it is, the other runs of the study go on
        last_lines = traceback.format_exc().strip().splitlines()[-LAST_LINES:]
        return failed(job, "\n".join(last_lines))


def outcomes_of(job: Job, future: Future[list[Outcome]]) -> list[Outcome]:
    """Tell what became of a job that has ended, also where its worker is no more."""
    if future.cancelled():
        return failed(job, "the cluster lost it, with the worker or the scheduler that had it")
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, BrokenExecutor):
        return failed(job, "the worker died: it was killed, or the machine ran out of memory")
    return failed(job, f"{type(error).__name__}: {error}")


def failed(job: Job, reason: str) -> list[Outcome]:
    """Say of every run of ``job`` that it failed."""
    return [FailedRun(reason)] * len(job.configs)


def _train(job: Job, dataset: Dataset | None) -> list[Outcome]:
    if job.code != code_version():
        raise StudyError(
            f"the worker at {socket.gethostname()} has other code, or another torch or numpy, "
            "than the study: install the same on both"
        )
    # torch, which only workers need
    from study.training.cohort import train_cohort
    from study.training.trainer import train
    from study.training.trial import keeps_bytes

    dataset = dataset or load(job.data)
    checkpoints = [checkpoint_path(key, job.checkpoints) for key in job.keys]
    start = perf_counter()
    if len(job.configs) > 1 and keeps_bytes(job.configs, dataset):
        runs = train_cohort(job.configs, dataset, checkpoints)
    else:
        runs = []
        for config, checkpoint in zip(job.configs, checkpoints, strict=True):
            try:
                runs.append(train(config, dataset, checkpoint, show_progress=False))
            except StudyError as error:
                runs.append(error)
    seconds = (perf_counter() - start) / len(runs)
    return [
        FailedRun(str(files)) if isinstance(files, StudyError) else FinishedRun(files, seconds)
        for files in runs
    ]


@lru_cache(maxsize=2)
def load(path: Path) -> Dataset:
    """Read a data set, once in a process."""
    return load_dataset(path)


def expected_seconds(config: RunConfig, n_samples: int, n_features: int) -> float:
    """Guess how long a run takes on one core, to start long runs first and to tell the time left.

    Args:
        config: the run.
        n_samples: of its data set.
        n_features: of a sample.
    """
    recipe, choose = config.training, config.settings.choose
    n_train = recipe.disjoint or n_samples * (1 - recipe.test_fraction)
    steps = recipe.n_steps(int(n_train * (1 - recipe.validation_fraction)))
    sizes = [n_features, *config.net.hidden_sizes]
    weights = sum(size_in * size_out for size_in, size_out in pairwise(sizes))
    steps *= len(choose.combinations) if choose else 1
    return float(steps * (SECONDS_A_STEP + SECONDS_A_PRODUCT * weights * recipe.batch_size))
