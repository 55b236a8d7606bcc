"""Refuse what would fail, or be missed, only after hours of training."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from study.data.dataset import Dataset
from study.data.spirals import SPIRALS
from study.errors import StudyError
from study.parallel.job import load
from study.paths import RunKey, data_file
from study.training.experiment import RunConfig, all_runs, read_experiments


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


def check_splits(configs: Iterable[RunConfig]) -> None:
    """Try the splits of data in groups, one run a seed: whether few groups reach both sides of one
    is a matter of the seed.

    Raises:
        StudyError: names the experiment, the seed and the number of groups.
    """
    by_data: dict[str, dict[tuple[str, int], RunConfig]] = {}
    for config in configs:
        if config.data not in SPIRALS:  # whose groups are pairs of points
            by_data.setdefault(config.data, {})[config.experiment, config.seed] = config
    for name, by_seed in by_data.items():
        dataset = load(data_file(name).absolute())
        n_groups = len(np.unique(dataset.group))
        if n_groups < len(dataset.labels):
            for config in by_seed.values():
                _check_split(config, dataset, n_groups)


def _check_split(config: RunConfig, dataset: Dataset, n_groups: int) -> None:
    from study.training.split import split_for  # torch

    try:
        split_for(config, dataset)
    except StudyError as error:
        raise StudyError(
            f"{config.experiment} cannot be split with seed {config.seed}: its points are "
            f"{n_groups} groups, each of which stays together, and {error}; name groups of which "
            "there are more"
        ) from error


def is_certain(config: RunConfig) -> bool:
    """Tell whether params.yaml alone says that a run's net has its eligible layers."""
    choose = config.settings.choose
    lists = [config.settings.eligible, *(choose.eligible if choose else [])]
    numbers = all(isinstance(k, int) for eligible in lists for k in eligible)
    return config.net.kind == "mlp" and not config.training.augment and numbers
