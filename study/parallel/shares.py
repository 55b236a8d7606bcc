"""Share runs out to the workers: small nets in cohorts, and what takes longest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod

from study.parallel.job import Job, expected_seconds, load
from study.paths import CHECKPOINTS, data_file
from study.training.experiment import RunConfig
from study.training.stackable import can_stack, cohort_key

COHORT = 30
"""Runs of a small net to train together at most: more save little."""


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
