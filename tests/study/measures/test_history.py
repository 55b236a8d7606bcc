import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from mixup.mixing.sampler import Sampler
from mixup.study.data.dataset import Dataset
from mixup.study.errors import StudyError
from mixup.study.measures.history import history_measures, p_different_labels
from mixup.study.training.config import RunKey, read_run_config
from mixup.study.training.run import run_folder
from mixup.study.training.trainer import train_run
from tests.folders import write_sums

BATCH, ALPHA = 5, 2.0


def entropy(lam: float) -> float:
    """Entropy of a target with weight lam on one class and 1 - lam on another, in nats."""
    return -(lam * math.log(lam) + (1 - lam) * math.log(1 - lam))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 4
    inputs = rng.normal(size=(80, 2)).astype(np.float32)
    return Dataset(inputs, labels, np.arange(80), np.zeros(80, dtype=bool))


@pytest.fixture
def root(tmp_path: Path, dataset: Dataset) -> Path:
    experiment = {
        "data": "blobs",
        "net": {"width": 4, "depth": 2, "negative_slope": 0.2},
        "training": {
            "test_fraction": 0.5,
            "batch_size": BATCH,
            "steps": 40,
            "learning_rate": 0.01,
            "evaluations": 40,
        },
        "plain": ["baseline"],
        "mixing": ["manifold"],
        "methods": {"baseline": {}, "manifold": {"eligible": [0, 1]}},
    }
    params = {"mixup": {"alpha": ALPHA}, "train": {}, "experiments": {"e": experiment}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    for method in ("baseline", "manifold"):
        key = RunKey("e", method, 3)
        config = read_run_config(key, tmp_path / "params.yaml")
        train_run(config, dataset, run_folder(key, tmp_path))
    return tmp_path


@pytest.mark.parametrize("method", ["baseline", "manifold"])
def test_excess_is_the_loss_of_the_last_tenth_above_the_floor(root, dataset, method):
    history = pd.read_csv(root / "e" / method / "3" / "history.csv")
    assert history["step"].tolist() == list(range(1, 41))  # so that every lam is on record
    floor = 0.0
    if method == "manifold":
        # Of 40 training points, 10 a class: 30 of a point's 39 others have another label, and in
        # a batch of 5 it meets another point with probability 4 / 5.
        floor = 4 / 5 * 30 / 39 * np.mean([entropy(lam) for lam in history["lam"][-4:]])
    found = history_measures(RunKey("e", method, 3), dataset, root)
    assert found["train_excess_loss"] == pytest.approx(history["loss"][-4:].mean() - floor)


def test_lam_that_the_seed_does_not_give_is_noticed(root, dataset):
    path = root / "e" / "manifold" / "3" / "history.csv"
    history = pd.read_csv(path)
    history.loc[20, "lam"] += 0.01
    history.to_csv(path, index=False)
    write_sums(path.parent)
    with pytest.raises(StudyError, match="manifold seed 3 has another lam than its seed gives"):
        history_measures(RunKey("e", "manifold", 3), dataset, root)


def test_rows_count_by_their_steps(root, dataset):
    path = root / "e" / "baseline" / "3" / "history.csv"
    path.write_text("step,loss,test_loss,lam\n60,9,3,\n91,8,1,\n97,4,5,\n100,1,4,\n")
    write_sums(path.parent)
    found = history_measures(RunKey("e", "baseline", 3), dataset, root)
    assert found["train_excess_loss"] == pytest.approx((31 * 8 + 6 * 4 + 3 * 1) / 40)
    assert found["test_nll_rise"] == 4 - 1


def test_rise_is_from_the_lowest_test_loss_to_the_last(root, dataset):
    history = pd.read_csv(root / "e" / "baseline" / "3" / "history.csv")
    lowest = min(history["test_loss"])
    found = history_measures(RunKey("e", "baseline", 3), dataset, root)
    assert found["test_nll_rise"] == pytest.approx(history["test_loss"].to_list()[-1] - lowest)
    metrics = json.loads((root / "e" / "baseline" / "3" / "metrics.json").read_text())
    assert metrics["test_nll"] == pytest.approx(lowest + found["test_nll_rise"])


def test_probability_of_another_label_is_that_of_real_batches():
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], [12, 6, 2])
    sampler = Sampler(
        {"input": 1.0},
        alpha=1.0,
        beta=None,
        per_sample=False,
        pairing="random",
        mixes="both",
        noise=0.0,
        seed=0,
    )
    different = []
    for _ in range(4000):
        batch = rng.permutation(labels)[:BATCH]
        different.append(batch != batch[sampler.draw(BATCH).perm.numpy()])
    assert np.mean(different) == pytest.approx(p_different_labels(labels, BATCH), abs=0.01)


def test_probability_in_small_cases():
    assert p_different_labels([0, 0, 0], 2) == 0
    assert p_different_labels([0, 1], 1) == 0  # a batch of one mixes with itself
    assert p_different_labels([0, 1], 2) == 0.5


def test_names_a_history_that_is_missing(root, dataset):
    (root / "e" / "manifold" / "3" / "history.csv").unlink()
    with pytest.raises(StudyError, match=r"manifold.3.history\.csv is missing"):
        history_measures(RunKey("e", "manifold", 3), dataset, root)
