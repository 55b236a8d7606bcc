"""Nets of every kind, from params to files, and their eligible layers."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mixup.models.cnn import CNN
from study.data.dataset import Dataset
from study.data.own import read_own
from study.data.own_config import OwnDataConfig
from study.errors import StudyError
from study.training.experiment import RunConfig
from study.training.net import check_fits, find_eligible
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


SHAPE = (1, 4, 4)


@pytest.mark.parametrize(
    ("eligible", "found"),
    [
        (["input", "blocks.1"], ("input", "blocks.1")),
        (["blocks.*"], ("blocks.0", "blocks.1", "blocks.2")),
        (["blocks.?.2", "input"], ("blocks.0.2", "blocks.1.2", "blocks.2.2", "input")),
    ],
)
def test_names_and_patterns_become_layers(eligible: list[str], found: tuple[str, ...]) -> None:
    assert find_eligible(CNN(SHAPE, 2, width=2), eligible, SHAPE) == found


def test_the_net_and_the_generator_stay_as_they_were() -> None:
    net = CNN(SHAPE, 2, width=2, dropout=0.5).eval()
    before = {name: weight.clone() for name, weight in net.state_dict().items()}
    state = torch.get_rng_state()
    find_eligible(net, ["blocks.*"], SHAPE)
    assert not net.training
    assert not any(module._forward_hooks for module in net.modules())
    assert all(torch.equal(weight, before[name]) for name, weight in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_an_unknown_layer_is_told_with_all_there_are() -> None:
    with pytest.raises(StudyError) as caught:
        find_eligible(
            CNN(SHAPE, 2, width=2), ["blocks.9"], SHAPE, "experiments.e.methods.m.eligible"
        )
    said = str(caught.value)
    assert said.startswith("experiments.e.methods.m.eligible cannot be ['blocks.9']: no layer")
    for name in ("input", "blocks.0", "blocks.2.1", "classifier"):
        assert f" {name}," in f"{said},"
    assert "\n" not in said


class Odd(nn.Module):
    """One layer runs twice, one never, and one returns what cannot be mixed."""

    def __init__(self) -> None:
        super().__init__()
        self.once, self.twice, self.never = (nn.Linear(4, 4) for _ in range(3))
        self.counts = Counts()

    def forward(self, x: Tensor) -> Tensor:
        self.counts(x)
        return self.twice(self.twice(self.once(x)))


class Counts(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.long()


@pytest.mark.parametrize(
    ("eligible", "says"),
    [
        (["once", "twice"], "twice"),
        (["once", "never"], "never"),
        (["once", "counts"], "at 'counts': "),
        (["once:0"], "at 'once:0': no part '0'"),
        ([], "no layer to mix at"),
    ],
)
def test_layers_that_cannot_be_mixed_at_are_told(eligible: list[str], says: str) -> None:
    assert find_eligible(Odd(), ["once"], (4,)) == ("once",)
    with pytest.raises(StudyError, match=f"^eligible cannot be .*{says}"):
        find_eligible(Odd(), eligible, (4,))
