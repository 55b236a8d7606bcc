"""Runs of nets other than the multi-layer perceptron, from params to files."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from study.data.dataset import Dataset
from study.data.own import read_own
from study.data.own_config import OwnDataConfig
from study.errors import StudyError
from study.training.net import check_fits
from study.training.run_config import RunConfig
from study.training.trainer import train_run
from tests.study.training.test_trainer import config, dataset

OWN = """
from torch import nn

def build(shape, n_outputs):
    return nn.Sequential(nn.Linear(shape[0], 8), nn.Tanh(), nn.Linear(8, n_outputs))

def flip(x, generator):
    import torch
    signs = torch.randint(2, (len(x), 1), generator=generator) * 2 - 1
    return x * signs
"""


def run_of(net: dict[str, Any], eligible: list[int | str], **recipe: Any) -> RunConfig:
    base = config("manifold", standardise=True, **recipe).model_dump()
    return RunConfig.model_validate(base | {"net": net, "settings": {"eligible": eligible}})


def images(n: int = 48) -> Dataset:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    pixels = rng.integers(0, 100, size=(n, 1, 8, 8)) + 60 * labels[:, None, None, None]
    return Dataset(pixels.astype(np.uint8), labels, np.arange(n), np.zeros(n, dtype=bool))


def table() -> Dataset:
    points = dataset(n_features=5)
    inputs = points.inputs.copy()
    inputs[:, 2:] = np.eye(3)[np.arange(len(inputs)) % 3]
    columns = np.array([0, 0, 1, 1, 1])
    return Dataset(inputs, points.labels, points.group, points.official_test, columns)


@pytest.mark.parametrize(
    ("net", "eligible", "data", "layers"),
    [
        ({"kind": "cnn", "width": 4}, ["input", "blocks.*"], images(), {"input", "blocks.0"}),
        ({"kind": "resnet18", "width": 2}, ["layer[12]"], images(), {"layer1", "layer2"}),
        ({"kind": "tabular", "width": 8, "depth": 2}, [0, 2], table(), {"0", "2"}),
        ({"width": 8, "depth": 2}, [0, 1], images(), {"0", "1"}),
    ],
)
def test_a_net_trains_and_mixes_where_it_is_told(
    net: dict[str, Any], eligible: list[int | str], data: Dataset, layers: set[str]
) -> None:
    run = run_of(net, eligible, steps=30, evaluations=15, learning_rate=0.003)
    check_fits(run, data)
    files = train_run(run, data, show_progress=False)
    assert files == train_run(run, data, show_progress=False)
    rows = list(csv.DictReader(io.StringIO(files["history.csv"].decode())))
    assert layers <= {row["k"] for row in rows}
    assert float(rows[-1]["train_loss"]) < float(rows[0]["train_loss"])


def test_a_net_and_an_augmentation_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(OWN)
    net = {"module": "mine.py:build"}
    run = run_of(net, ["input", "1"], steps=40, augment="mine.py:flip")
    check_fits(run, dataset())
    files = train_run(run, dataset(), show_progress=False)
    assert files == train_run(run, dataset(), show_progress=False)
    plain = train_run(run_of(net, ["input", "1"], steps=40), dataset(), show_progress=False)
    assert files["model.safetensors"] != plain["model.safetensors"]


@pytest.mark.parametrize(
    ("net", "eligible", "data", "said"),
    [
        ({"kind": "cnn", "width": 4}, ["input"], dataset(), "needs images"),
        ({"kind": "cnn", "width": 4}, ["layer9"], images(), r"(?s)eligible.*layer9.*blocks\.0"),
        ({"width": 4, "depth": 1}, ["hidden.7"], dataset(), r"(?s)eligible.*hidden\.7.*hidden\.0"),
    ],
)
def test_what_does_not_fit_is_said_before_training(
    net: dict[str, Any], eligible: list[int | str], data: Dataset, said: str
) -> None:
    with pytest.raises(StudyError, match=said):
        check_fits(run_of(net, eligible), data)


def test_the_digits_of_scikit_learn_train_a_small_cnn() -> None:
    digits = read_own(OwnDataConfig(name="digits"))[0]
    run = run_of({"kind": "cnn", "width": 8}, ["input"], steps=150, batch_size=32)
    assert b'"test_accuracy": 0.9' in train_run(run, digits, show_progress=False)["metrics.json"]
