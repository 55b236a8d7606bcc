"""Points with any number of labels: each label of each point is a question of its own."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss

from study.data.dataset import Dataset
from study.errors import StudyError
from study.training.recipe import Floor
from study.training.record import as_labels
from study.training.split import split_for
from study.training.trainer import new_state, train_run
from tests.study.training.test_trainer import config

N = 80


def data() -> Dataset:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(N, 3)).astype(np.float32)
    labels = (inputs > [0, 0.5, -0.5]).astype(np.int64)
    return Dataset(inputs, labels, np.arange(N), np.zeros(N, dtype=bool))


def test_scores_are_those_of_all_labels() -> None:
    from safetensors.torch import load

    run = config("manifold", steps=60)
    files = train_run(run, data(), show_progress=False)
    net = new_state(run, data()).net
    net.load_state_dict(load(files["model.safetensors"]))
    split = split_for(run, data())
    p = net.eval()(split.test_inputs).double().sigmoid().detach().numpy()
    labels = split.test_labels.numpy()
    found = json.loads(files["metrics.json"])
    flat = labels.ravel()
    assert found["test_accuracy"] == pytest.approx(accuracy_score(flat, p.ravel() > 0.5))
    balanced = balanced_accuracy_score(flat, p.ravel() > 0.5)
    assert found["test_balanced_accuracy"] == pytest.approx(balanced)
    assert found["test_nll"] == pytest.approx(log_loss(flat, p.ravel()), rel=1e-6)
    assert found["test_accuracy"] > 0.75
    assert (as_labels(split.test_labels) == flat).all()


def test_the_floor_is_the_mean_of_the_labels() -> None:
    labels = data().labels
    plan = new_state(config("input"), data()).mixer
    assert plan is not None
    drawn = plan.draw(8)
    each = [Floor(column, 8)(drawn) for column in labels.T]
    assert len(set(each)) > 1
    assert Floor(labels, 8)(drawn) == pytest.approx(np.mean(each))


def test_labels_are_0_and_1() -> None:
    with pytest.raises(StudyError, match="must be 0 and 1"):
        Dataset(data().inputs, data().labels * 2, np.arange(N), np.zeros(N, dtype=bool))
