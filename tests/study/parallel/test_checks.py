"""What is refused before runs are trained; tests/pipeline has a run without a stage."""

from pathlib import Path

import numpy as np
import pytest

from study.data.dataset import Dataset, save_dataset
from study.errors import StudyError
from study.parallel.checks import check_nets, check_splits
from study.parallel.job import load
from tests.study.parallel.test_job import config
from tests.study.parallel.test_shares import seeds


def test_a_layer_that_a_net_lacks_is_found_in_every_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = np.arange(8) % 2
    dataset = Dataset(np.zeros((8, 2), np.float32), labels, np.arange(8), np.zeros(8, dtype=bool))
    save_dataset("data/test.npz", dataset)
    settings = config().settings.model_copy(update={"eligible": ["nowhere"]})
    bad = config().model_copy(update={"experiment": "other", "settings": settings, "alpha": 2.0})
    for runs in ([bad, *seeds(2)], [*seeds(2), bad]):
        with pytest.raises(StudyError, match="nowhere"):
            check_nets(runs)


def test_groups_that_are_too_few_for_a_split_are_found_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    labels, apart = np.arange(60) % 2, np.zeros(60, dtype=bool)
    inputs = np.zeros((60, 2), np.float32)
    save_dataset("data/test.npz", Dataset(inputs, labels, np.arange(60) % 2, apart))
    with pytest.raises(StudyError, match=r"test cannot be split with seed 0: .* 2 groups, .* more"):
        check_splits(seeds(2))
    save_dataset("data/test.npz", Dataset(inputs, labels, np.arange(60) % 20, apart))
    load.cache_clear()
    check_splits(seeds(2))
