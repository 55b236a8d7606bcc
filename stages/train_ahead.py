"""Train every run that is out of date, on all cores; its own stage then takes each from ahead/."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

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
from study.parallel.checks import check_nets, check_splits, check_stages
from study.parallel.job import FailedRun, Outcome
from study.parallel.pools import make_pool, train_all
from study.parallel.shares import jobs_with_costs
from study.params import read_section
from study.paths import WEIGHTS, RunKey, checkpoint_path, data_file, remove_checkpoint
from study.pipeline import train_stages
from study.timings import keep_time
from study.training.config import ComputeConfig
from study.training.experiment import read_run_config

DONE = Path("data/trained_ahead")


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
    check_splits(missing)
    workers = max(1, cpu_count() // read_section(ComputeConfig, "compute").threads)
    costs = jobs_with_costs(missing, code, workers)
    pool = make_pool(workers, len(costs), ahead_folder() / CORES)
    if failed := train_all(pool, costs, partial(keep_run, identities=identities)):
        report_failures(failed, out_of_date)


if __name__ == "__main__":
    run(main, __doc__)
