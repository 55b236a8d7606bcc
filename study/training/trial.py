"""Find out whether this machine's kernels give the runs of a cohort the bytes of runs alone."""

from collections.abc import Hashable, Sequence
from typing import Any

from study.data.dataset import Dataset
from study.errors import StudyError
from study.training.cohort import train_cohort
from study.training.experiment import RunConfig
from study.training.trainer import train_run

STEPS = 8
SHORT: dict[str, Any] = {"steps": STEPS, "epochs": None, "decay_at": [], "evaluations": 1}

_found: dict[Hashable, bool] = {}


def keeps_bytes(configs: Sequence[RunConfig], dataset: Dataset) -> bool:
    """Train runs for a few steps, alone and as a cohort, and compare all their files.

    Kernels are chosen by shape, and can sum in another order where a sample lies elsewhere in
    memory; so all the runs are tried, just as they will be trained. A process tries runs of one
    kind only once, whatever their seeds are.

    Args:
        configs: the runs of a cohort.
        dataset: what they train on.

    Raises:
        StudyError, ValueError: as of `train_cohort`.
    """
    kind = _kind(configs, dataset)
    if kind not in _found:
        _found[kind] = _agree([_shortened(config) for config in configs], dataset)
    return _found[kind]


def _agree(configs: Sequence[RunConfig], dataset: Dataset) -> bool:
    together = train_cohort(configs, dataset, [None] * len(configs))
    for config, files in zip(configs, together, strict=True):
        try:
            alone = train_run(config, dataset, show_progress=False)
        except StudyError as error:
            if str(error) != str(files):
                return False
        else:
            if alone != files:
                return False
    return True


def _shortened(config: RunConfig) -> RunConfig:
    training = config.training.model_copy(update=SHORT)
    return config.model_copy(update={"training": training})


def _kind(configs: Sequence[RunConfig], dataset: Dataset) -> Hashable:
    first = configs[0]
    settings = sorted(config.settings.model_dump_json() for config in configs)
    return (
        *(first.net.model_dump_json(), first.training.model_dump_json(), first.threads),
        *(*settings, dataset.inputs.shape, dataset.n_classes),
    )
