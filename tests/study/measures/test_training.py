import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from study.data.dataset import Dataset
from study.errors import StudyError
from study.measures.training import history_measures
from study.paths import RunKey
from tests.sums import write_sums
from tests.training import experiment, train_all

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
    methods = {"baseline": {}, "manifold": {"eligible": [0, 1]}}
    net = {"width": 4, "depth": 2, "negative_slope": 0.2}
    recipe = {"batch_size": BATCH, "steps": 40, "evaluations": 40}
    experiments = {"e": experiment("blobs", methods, net, **recipe)}
    params = {"mixup": {"alpha": ALPHA}, "compute": {}, "experiments": experiments}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    train_all(experiments, {"blobs": dataset}, [3], tmp_path)
    return tmp_path / "runs"


@pytest.mark.parametrize("method", ["baseline", "manifold"])
def test_excess_is_the_loss_of_the_last_tenth_above_the_floor(root, method):
    history = pd.read_csv(root / "e" / method / "3" / "history.csv")
    assert history["step"].tolist() == list(range(1, 41))  # so that every lam is on record
    floor = 0.0
    if method == "manifold":
        # Of 40 training points, 10 a class: 30 of a point's 39 others have another label, and in
        # a batch of 5 it meets another point with probability 4 / 5.
        floor = 4 / 5 * 30 / 39 * np.mean([entropy(lam) for lam in history["lam"][-4:]])
    found = history_measures(RunKey("e", method, 3), root)
    assert found["train_excess_loss"] == pytest.approx(history["loss"][-4:].mean() - floor)


def test_rows_count_by_their_steps(root):
    path = root / "e" / "baseline" / "3" / "history.csv"
    path.write_text("step,loss,floor,test_loss\n60,9,1,3\n91,8,3,1\n97,4,2,5\n100,1,0,4\n")
    write_sums(path.parent)
    found = history_measures(RunKey("e", "baseline", 3), root)
    assert found["train_excess_loss"] == pytest.approx((31 * 5 + 6 * 2 + 3 * 1) / 40)
    assert found["test_nll_rise"] == 4 - 1


def test_rise_is_from_the_lowest_test_loss_to_the_last(root):
    history = pd.read_csv(root / "e" / "baseline" / "3" / "history.csv")
    lowest = min(history["test_loss"])
    found = history_measures(RunKey("e", "baseline", 3), root)
    assert found["test_nll_rise"] == pytest.approx(history["test_loss"].to_list()[-1] - lowest)
    metrics = json.loads((root / "e" / "baseline" / "3" / "metrics.json").read_text())
    assert metrics["test_nll"] == pytest.approx(lowest + found["test_nll_rise"])


def test_names_a_history_that_is_missing(root):
    (root / "e" / "manifold" / "3" / "history.csv").unlink()
    with pytest.raises(StudyError, match=r"manifold.3.history\.csv is missing"):
        history_measures(RunKey("e", "manifold", 3), root)
