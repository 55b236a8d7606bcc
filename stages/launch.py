"""Train every run that is out of date, several at a time: ``python -m stages.launch``.

DVC says which runs are out of date and records what was trained; `dvc repro` does the rest.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from filelock import FileLock, Timeout
from joblib import cpu_count

from mixup.study.command import run
from mixup.study.errors import StudyError
from mixup.study.parallel.job import FailedRun, Job, Outcome, expected_seconds, load
from mixup.study.parallel.local import LocalPool
from mixup.study.parallel.progress import Progress
from mixup.study.params import read_params, read_section
from mixup.study.training.config import RunConfig, RunKey, TrainConfig, read_run_config
from mixup.study.training.version import code_version

if TYPE_CHECKING:
    from mixup.study.parallel.cluster import ClusterPool
    from mixup.study.pipeline import TrainStages

LOCK = Path(".dvc/tmp/launch.lock")
CHECKPOINTS = Path("checkpoints")  # as stages.train has it
COHORT = 30
"""Runs of a small net to train together: fewer cost more each, and more save little."""
T = TypeVar("T")
SECONDS_BETWEEN_RECORDS = 10


@contextmanager
def only_launch() -> Iterator[None]:
    """Refuse to launch where a launch is under way; the lock goes with the process."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(LOCK, timeout=0):
            yield
    except Timeout as error:
        raise StudyError("another launch is under way in this folder: wait for it") from error


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait for the end of the block: DVC writes dvc.lock in place."""
    caught: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda got, _: caught.append(got)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    if caught:
        raise KeyboardInterrupt


def train_all(
    pool: LocalPool | ClusterPool, costs: Mapping[Job, float], stages: TrainStages
) -> dict[RunKey, str]:
    """Train all runs of ``costs``, record those that succeed, and return why the others failed."""
    trained: list[RunKey] = []
    failed: dict[RunKey, str] = {}
    recorded_at = monotonic()
    try:
        with closing(Progress(costs, pool.about)) as progress:
            for job, outcomes in pool.outcomes(list(costs), progress.show):
                outcomes = [put_in_place(*pair) for pair in zip(job.keys, outcomes, strict=True)]
                progress.end(job, outcomes)
                for key, outcome in zip(job.keys, outcomes, strict=True):
                    if isinstance(outcome, FailedRun):
                        failed[key] = outcome.reason
                    else:
                        trained.append(key)
                if monotonic() - recorded_at > SECONDS_BETWEEN_RECORDS:
                    record(trained, stages)
                    recorded_at = monotonic()
    finally:
        pool.close()
        record(trained, stages)
    return failed


def put_in_place(key: RunKey, outcome: Outcome) -> Outcome:
    """Make the folder of a run that was trained."""
    if isinstance(outcome, FailedRun):
        return outcome
    from mixup.study.training.run import (
        run_folder,  # torch, which a launch without work does not need
    )
    from mixup.study.training.timing import keep_time

    try:
        outcome.write(run_folder(key))
        keep_time(key, outcome.seconds)
    except (StudyError, OSError) as error:
        return FailedRun(str(error))
    return outcome


def record(trained: list[RunKey], stages: TrainStages) -> None:
    """Tell DVC of the runs in place, and forget them."""
    with uninterrupted():
        stages.record(trained)
        trained.clear()


def jobs_with_costs(keys: list[RunKey], cohorts: set[str], jobs: int) -> dict[Job, float]:
    """Make the jobs of the workers, the longest first: none is then left to run alone at the end.

    Args:
        keys: the runs.
        cohorts: experiments whose runs are trained together, some in each job.
        jobs: number of workers that cohorts are shared out to.
    """
    configs = [read_run_config(key) for key in keys]
    parts: list[tuple[RunConfig, ...]]
    parts = [(config,) for config in configs if config.experiment not in cohorts]
    for name in cohorts:
        together = [config for config in configs if config.experiment == name]
        size = min(COHORT, -(-len(together) // jobs))
        parts += [tuple(part) for part in batched(together, size)]
    costs: dict[Job, float] = {}
    for part in parts:
        data = Path("data", f"{part[0].data}.npz").absolute()
        job = Job(part, data, code_version(), CHECKPOINTS.absolute())
        shape = load(data).inputs.shape
        costs[job] = sum(expected_seconds(config, *shape) for config in part)
    return dict(sorted(costs.items(), key=lambda pair: -pair[1]))


def batched(items: list[T], size: int) -> Iterator[list[T]]:
    """Cut a list into parts of ``size``, and a last one that may be smaller."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def make_pool(scheduler: str | None, jobs: int) -> LocalPool | ClusterPool:
    """Find the workers."""
    if scheduler:
        try:
            from mixup.study.parallel.cluster import ClusterPool
        except ImportError as error:
            raise StudyError(f"--scheduler needs the package {error.name}: install it") from error
        return ClusterPool(scheduler)
    return LocalPool(jobs)


def report_failures(failed: Mapping[RunKey, str], stages: TrainStages) -> None:
    """List the runs that failed, with their last lines and the command to try one again."""
    for key, reason in failed.items():
        print(f"\n{' '.join(map(str, key))} failed:", file=sys.stderr)
        print("  " + reason.replace("\n", "\n  "), file=sys.stderr)
        print(f"  to try it again alone: dvc repro {stages.name(key)}", file=sys.stderr)
    raise StudyError(
        f"{len(failed)} of the runs failed, see above; the others are recorded, and another "
        "launch trains only what is missing"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=positive, metavar="N", help="worker processes; all cores")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster to train on")
    parser.add_argument(
        "--cohort",
        nargs="+",
        default=[],
        metavar="EXPERIMENT",
        help="train the runs of these experiments as cohorts: faster for small nets, equal to "
        "runs alone but for rounding; config.json records it",
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from mixup.study.pipeline import train_stages  # not at the top: workers import this module

    with only_launch(), train_stages() as stages:
        stages.bring_data_up_to_date()
        if not (stale := stages.stale()):
            print("every run is up to date")
            return
        jobs = arguments.jobs or max(1, cpu_count() // read_section(TrainConfig, "train").threads)
        costs = jobs_with_costs(stale, check_names(arguments.cohort), jobs)
        pool = make_pool(arguments.scheduler, min(jobs, len(costs)))
        if failed := train_all(pool, costs, stages):
            report_failures(failed, stages)


def check_names(names: list[str]) -> set[str]:
    """Refuse names that no experiment has."""
    known = read_params().get("experiments", {})
    if unknown := sorted(set(names) - set(known)):
        raise StudyError(f"--cohort: there is no experiment {unknown[0]!r}, but {', '.join(known)}")
    return set(names)


def positive(text: str) -> int:
    """Read a whole number above 0 from a command line."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


if __name__ == "__main__":
    run(main)
