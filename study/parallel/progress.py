"""Tell a person how far many runs have come."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from tqdm import tqdm

from study.parallel.job import FailedRun, Job, Outcome


class Progress:
    """One display for all workers: a bar on a terminal, a line a run elsewhere.

    The remaining time follows from what the runs are expected to cost, so that it holds although
    the long ones come first.
    """

    def __init__(self, costs: Mapping[Job, float], where: str) -> None:
        self._costs = costs
        self._n = sum(len(job.keys) for job in costs)
        self._done = 0
        # Before the bar, which leaves the cursor at its end.
        print(f"{self._n} runs to train on {where}{_with_tried(costs)}", flush=True)
        self._bar = tqdm(
            total=sum(costs.values()),
            bar_format="{desc} |{bar:20}| {elapsed}, {remaining} to go{postfix}",
            disable=None,
        )

    def show(self, under_way: list[Job]) -> None:
        """Say what the workers are at."""
        self._bar.set_description_str(f"{self._done} of {self._n} runs", refresh=False)
        self._bar.set_postfix_str("now: " + ", ".join(job.name for job in under_way))

    def end(self, job: Job, outcomes: list[Outcome]) -> None:
        """Count the runs of a job that has ended, and name those that failed at once."""
        self._done += len(job.keys)
        self._bar.update(self._costs[job])
        for key, outcome in zip(job.keys, outcomes, strict=True):
            name = " ".join(map(str, key))
            if isinstance(outcome, FailedRun):
                tqdm.write(f"FAILED {name}: {outcome.reason.splitlines()[-1]}", file=sys.stderr)
            elif self._bar.disable:
                print(f"{name}: {outcome.seconds:.1f} s", flush=True)

    def close(self) -> None:
        self._bar.close()


def _with_tried(jobs: Iterable[Job]) -> str:
    """Count the trainings where some runs choose, which try every combination."""
    choices = [config.settings.choose for job in jobs for config in job.configs]
    n_trainings = sum(len(choose.combinations) if choose else 1 for choose in choices)
    if n_trainings == len(choices):
        return ""
    return f", {n_trainings:,} trainings with those tried for a choice"
