"""Train every run that is out of date, on all cores; its own stage then takes each from ahead/."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from joblib import cpu_count

from study.ahead import (
    CORES,
    ahead_folder,
    forget,
    is_kept,
    keep,
    recorded_code,
    run_identity,
)
from study.command import run
from study.errors import StudyError
from study.files import write_text
from study.parallel.job import FailedRun, Job, Outcome, expected_seconds, load
from study.parallel.local import LocalPool
from study.parallel.progress import Progress
from study.params import read_section
from study.paths import CHECKPOINTS, WEIGHTS, RunKey, checkpoint_path, data_file, remove_checkpoint
from study.pipeline import train_stages
from study.timings import keep_time
from study.training.config import ComputeConfig
from study.training.experiment import RunConfig, all_runs, read_experiments, read_run_config
from study.training.stackable import can_stack, cohort_key

if TYPE_CHECKING:
    from study.parallel.cluster import ClusterPool

DONE = Path("data/trained_ahead")
SCHEDULER = "MIXUP_SCHEDULER"
"""Environment variable: the address of a Dask scheduler, whose workers train then."""
COHORT = 30
"""Runs of a small net to train together at most: more save little."""


def train_all(
    pool: LocalPool | ClusterPool, costs: Mapping[Job, float], identities: Mapping[RunKey, str]
) -> dict[RunKey, str]:
    """Train all runs of ``costs``, keep those that succeed, and return why the others failed."""
    failed: dict[RunKey, str] = {}
    try:
        with closing(Progress(costs, pool.about)) as progress:
            for job, outcomes in pool.outcomes(list(costs), progress.show):
                runs = dict(zip(job.keys, outcomes, strict=True))
                runs = {key: keep_run(key, run, identities) for key, run in runs.items()}
                progress.end(job, list(runs.values()))
                failed |= {k: run.reason for k, run in runs.items() if isinstance(run, FailedRun)}
    finally:
        pool.close()
    return failed


def keep_run(key: RunKey, outcome: Outcome, identities: Mapping[RunKey, str]) -> Outcome:
    """Keep a run that was trained for its stage."""
    if isinstance(outcome, FailedRun):
        return outcome
    try:
        keep(identities[key], outcome.files)
    except (StudyError, OSError) as error:
        return FailedRun(str(error))
    keep_time(key, outcome.seconds, outcome.files[WEIGHTS])
    remove_checkpoint(checkpoint_path(key))
    return outcome


def jobs_with_costs(configs: Iterable[RunConfig], code: str, workers: int) -> dict[Job, float]:
    """Make the jobs of the workers, the longest first: none is then left to run alone at the end.

    Args:
        configs: the runs.
        code: as of `code_version`.
        workers: that cohorts are shared out to.
    """
    costs: dict[Job, float] = {}
    for part in parts(configs, workers):
        data = data_file(part[0].data).absolute()
        job = Job(part, data, code, CHECKPOINTS.absolute())
        n_samples, *shape = load(data).inputs.shape
        costs[job] = sum(expected_seconds(config, n_samples, prod(shape)) for config in part)
    return dict(sorted(costs.items(), key=lambda pair: -pair[1]))


def parts(configs: Iterable[RunConfig], workers: int) -> Iterator[tuple[RunConfig, ...]]:
    """Group runs of small nets into cohorts, a share for each worker; others are alone."""
    cohorts: dict[str, list[RunConfig]] = {}
    for config in configs:
        if can_stack(config):
            cohorts.setdefault(cohort_key(config), []).append(config)
        else:
            yield (config,)
    for together in cohorts.values():
        size = min(COHORT, -(-len(together) // workers))
        for start in range(0, len(together), size):
            yield tuple(together[start : start + size])


def check_stages(stages: Collection[RunKey]) -> None:
    """Refuse a params.yaml with runs that DVC has no stage for: the analyses would miss them.

    Raises:
        StudyError: names the first of them.
    """
    if missing := [key for key in all_runs(*read_experiments()) if key not in stages]:
        raise StudyError(
            f"no stage of dvc.yaml trains {' '.join(map(str, missing[0]))}: the matrix of its "
            "experiment's stages must have the seeds and methods that params.yaml names"
        )


def check_nets(configs: Iterable[RunConfig]) -> None:
    """Try nets and layers that params.yaml alone cannot check, one run a method.

    Raises:
        StudyError: as of `check_fits`.
    """
    by_method = {(config.experiment, config.method): config for config in configs}
    doubtful = [config for config in by_method.values() if not is_certain(config)]
    if doubtful:
        from study.training.net import check_fits  # torch

        for config in doubtful:
            check_fits(config, load(data_file(config.data).absolute()))


def is_certain(config: RunConfig) -> bool:
    """Tell whether params.yaml alone says that a run's net has its eligible layers."""
    choose = config.settings.choose
    lists = [config.settings.eligible, *(choose.eligible if choose else [])]
    numbers = all(isinstance(k, int) for eligible in lists for k in eligible)
    return config.net.kind == "mlp" and not config.training.augment and numbers


def make_pool(workers: int, n_jobs: int) -> LocalPool | ClusterPool:
    """Find the workers, here or on a cluster."""
    if address := os.environ.get(SCHEDULER):
        try:
            from study.parallel.cluster import ClusterPool
        except ImportError as error:
            raise StudyError(f"{SCHEDULER} needs the package {error.name}: install it") from error
        return ClusterPool(address)
    return LocalPool(min(workers, n_jobs), ahead_folder() / CORES, workers)


def report_failures(failed: Mapping[RunKey, str], stages: Mapping[RunKey, str]) -> None:
    """List the runs that failed, with their last lines and the command to try one again."""
    for key, reason in failed.items():
        print(f"\n{' '.join(map(str, key))} failed:", file=sys.stderr)
        print("  " + reason.replace("\n", "\n  "), file=sys.stderr)
        print(f"  to try it again alone: dvc repro -s {stages[key]}", file=sys.stderr)
    print(f"\n{len(failed)} of the runs failed, see above; the others go on", file=sys.stderr)


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # First, as train stages depend on it: DVC is asked whether they would run after this one.
    write_text(DONE, "the runs that were out of date are in ahead/\n")
    code, stages = recorded_code(), train_stages()
    check_stages({stage.key for stage in stages})
    configs = {stage.key: read_run_config(stage.key) for stage in stages}
    identities = {
        key: run_identity(config, data_file(config.data), code) for key, config in configs.items()
    }
    out_of_date = {stage.key: stage.name for stage in stages if stage.is_out_of_date}
    forget(identities[stage.key] for stage in stages if not stage.is_out_of_date)
    missing = [configs[key] for key in out_of_date if not is_kept(identities[key])]
    if not missing:
        print("no run is left to train")
        return
    check_nets(missing)
    workers = max(1, cpu_count() // read_section(ComputeConfig, "compute").threads)
    costs = jobs_with_costs(missing, code, workers)
    if failed := train_all(make_pool(workers, len(costs)), costs, identities):
        report_failures(failed, out_of_date)


if __name__ == "__main__":
    run(main, __doc__)
