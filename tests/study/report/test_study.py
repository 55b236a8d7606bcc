"""What the page says was run, next to the data that are really made and the settings given."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from study.data.spirals import SpiralsConfig, generate
from study.paths import RunKey
from study.report.gallery import evidence, picture_of_spirals
from study.report.study import facts, left_out, method_rows, spirals_in_words, timed
from study.training.experiment import ExperimentConfig
from tests import training

ARMS = {"n_samples": 1200, "noise_std": 0.0, "n_cycles": 1.5}
MIRRORED = {"points_per_class": 700, "noise": 0.25, "max_angle": 540.0}


def spirals(kind: str, **changes: Any) -> SpiralsConfig:
    content: dict[str, Any] = {"kind": kind, "seed": 0, "arms": ARMS, "mirrored": MIRRORED}
    content[kind] = content[kind] | changes
    return SpiralsConfig.model_validate(content)


def test_arms_are_described_as_they_are() -> None:
    inputs = generate(spirals("arms")).inputs
    radius = np.linalg.norm(inputs, axis=1)
    said = spirals_in_words(spirals("arms"))
    assert said.startswith(f"{len(inputs):,} points, ")
    assert f"from {radius.min():.1f} to {radius.max():.0f};" in said
    assert "1.5 turns" in said
    assert said.endswith("There is no noise.")
    assert spirals_in_words(spirals("arms", noise_std=0.05)).endswith(
        "Gaussian noise of standard deviation 0.05 is on each coordinate."
    )
    assert "1 turn around" in spirals_in_words(spirals("arms", n_cycles=1.0))


def test_mirrored_spirals_are_described_as_they_are() -> None:
    noisy, clean = spirals("mirrored"), spirals("mirrored", noise=0.0)
    said = spirals_in_words(noisy)
    assert said.startswith(f"{len(generate(noisy).inputs):,} points, ")
    degrees = float(re.findall(r"up to (\d+) degrees", said)[0])
    radius = np.linalg.norm(generate(clean).inputs, axis=1)
    assert radius.max() == pytest.approx(np.deg2rad(degrees), rel=0.01)
    assert "noise uniform in [0, 0.25) on each coordinate" in said
    assert "without noise" in spirals_in_words(clean)


def test_picture_of_the_spirals_is_evidence_for_no_claim(tmp_path: Path) -> None:
    path = tmp_path / "spirals_data.png"
    Image.new("RGB", (4, 4)).save(path)
    shown = picture_of_spirals(path, spirals("arms"))
    assert (shown.name, shown.experiment) == ("spirals_data", "")
    assert [*evidence([shown], "spirals", "test_accuracy")] == []
    assert shown.caption.startswith("1,200 points")


def experiment(method: dict[str, Any], **changes: Any) -> ExperimentConfig:
    net, recipe = {"width": 8, "depth": 3}, {"batch_size": 16, "learning_rate": 0.02}
    usual = training.experiment("spirals", {"m": method}, net, steps=1000, **recipe)
    return ExperimentConfig.model_validate(usual | changes)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ({}, "nothing: plain training"),
        ({"weight_decay": 0.01, "dropout": 0.5},
         "weight decay 0.01; dropout 0.5 after every hidden layer"),
        ({"batch_norm": True, "input_noise": 0.25},
         "batch norm in every hidden layer; noise of standard deviation 0.25 on the input"),
        ({"eligible": [0]}, "mixes the input (k = 0)"),
        ({"eligible": [0, 1, 3], "alpha": 0.5},
         "mixes at a layer drawn for every batch from k = 0, 1 and 3; alpha 0.5"),
        ({"weight_decay": 0.01, "early_stopping": True},
         "weight decay 0.01; the weights of the least validation loss"),
        ({"eligible": [1], "choose": {"alpha": [0.2, 1.0], "eligible": [[0], [0, 1]]}},
         "chooses alpha from 0.2, 1 and eligible from 0, 0 + 1 by the least validation loss"),
        ({"eligible": [1], "mixes": "labels", "stop_gradient": True},
         "mixes at a layer drawn for every batch from k = 1; mixes labels alone; "
         "no gradient before the mixed state"),
    ],
)  # fmt: skip
def test_a_method_is_what_sets_it_apart(method: dict[str, Any], said: str) -> None:
    chooses = method.keys() & {"choose", "early_stopping"}
    recipe = experiment({}).training.model_dump() | {"validation_fraction": 0.2 * bool(chooses)}
    assert method_rows({"e": experiment(method, training=recipe)}) == [("e", "m", said)]


def test_facts_say_what_cannot_be_drawn_of_ones_own_data() -> None:
    data = {"own": generate(spirals("arms"))}
    drawn = experiment({}, data="own")
    (said,) = left_out({"e": drawn}, data)
    assert said[0] == "Left out: e"
    assert said[1].startswith("pictures and spectra of a bottleneck")
    recipe = drawn.training.model_dump() | {"standardise": True}
    (said,) = left_out({"e": experiment({}, data="own", training=recipe)}, data)
    assert said[1].startswith("maps of the inputs")
    narrow = {"width": 8, "depth": 3, "bottleneck": {"layer": 2, "size": 2}}
    assert left_out({"e": experiment({}, data="own", net=narrow)}, data) == []


def test_facts_say_what_a_split_keeps_apart() -> None:
    data = {"own": generate(spirals("mirrored"))}
    recipe = experiment({}).training.model_dump() | {"disjoint": 1000}
    of = {"e": experiment({}, data="own"), "d": experiment({}, data="own", training=recipe)}
    said = dict(facts([0], 1.0, 1, of, data, {}))
    n_groups = len(np.unique(data["own"].group))
    assert f"in {n_groups:,} groups that are on one side of each split" in said["Data: own"]
    assert "each seed has 1,000 of its own and the same for testing" in said["Experiment: d"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"net": {"kind": "cnn", "width": 16}}, "cnn of 16 channels in its first layer"),
        ({"net": {"module": "my_net.py:build"}}, "the net of my_net.py:build"),
        ({"net": {"kind": "tabular", "width": 8, "depth": 1}}, "categories embedded; hidden"),
    ],
)
def test_facts_name_nets_of_every_kind(changes: dict[str, Any], said: str) -> None:
    data = {"spirals": generate(spirals("arms"))}
    found = dict(facts([0], 1.0, 1, {"e": experiment({}, **changes)}, data, {}))
    assert said in found["Experiment: e"]


def test_facts_are_those_of_the_study() -> None:
    net = {"width": 8, "depth": 3, "negative_slope": 0.2}
    recipe = {"test_fraction": 0.5, "batch_size": 16, "learning_rate": 0.02, "evaluations": 1}
    narrow = experiment(
        {"bottleneck": 4},
        net=net | {"bottleneck": {"layer": 2, "size": 2}},
        training=recipe | {"epochs": 30, "decay_at": [10, 20], "validation_fraction": 0.2},
    )
    data = {"spirals": generate(spirals("arms")), "other": generate(spirals("mirrored"))}
    said = dict(facts([0, 3], 2.0, 4, {"wide": experiment({}), "narrow": narrow}, data,
                      {"spirals": "kind arms"}))  # fmt: skip
    assert said == {
        "Data: spirals": "kind arms; 1,200 samples of 2 numbers in 2 classes",
        "Data: other": "1,400 samples of 2 numbers in 2 classes",
        "Seeds": "0, 3 (each decides split, initial weights and batches)",
        "alpha": "2: lam is drawn from Beta(2, 2) wherever a method mixes",
        "Experiment: wide": (
            "data spirals, 50 % of it for testing; hidden layers of 8, 8, 8 units; 1,000 steps of "
            "16 samples, learning rate 0.02"
        ),
        "Experiment: narrow": (
            "data spirals, 50 % of it for testing, 20 % of the rest for choosing; "
            "hidden layers of 8, 2, 8 units (the 2 are the bottleneck); 30 epochs "
            "of 16 samples, learning rate 0.02, divided by ten after 10 and 20"
        ),
        "Threads of a run": "4",
    }


def test_facts_name_the_seeds_of_an_experiment_that_has_its_own() -> None:
    data = {"spirals": generate(spirals("arms"))}
    of = {
        "e": experiment({}),
        "own": experiment({}, seeds=[7, 8, 9]),
        "two": experiment({}, seeds=[3, 5]),
    }
    said = dict(facts([0, 1, 2, 3], 2.0, 1, of, data, {}))
    assert said["Seeds"].startswith("0 to 3 (")
    assert "seeds" not in said["Experiment: e"]
    assert said["Experiment: own"].endswith("; seeds 7 to 9")
    assert said["Experiment: two"].endswith("; seeds 3, 5")


def test_facts_name_what_a_method_or_a_data_set_decides_itself() -> None:
    data = generate(spirals("arms"))
    official = replace(data, official_test=np.arange(len(data.labels)) < 10)
    swept = experiment({"eligible": [0], "alpha": 0.5})
    said = dict(facts([0], 2.0, 1, {"e": swept}, {"spirals": official}, {}))
    assert said["alpha"].endswith(
        "wherever a method mixes, unless the method has an alpha of its own"
    )
    assert said["Experiment: e"].startswith("data spirals; hidden")


def test_times_that_are_known_are_added_up() -> None:
    assert timed({}) == {}
    known = {RunKey("e", "m", 0): 3600.4, RunKey("e", "m", 1): 61.0}
    assert timed(known) == {"total": "01:01:01", "known": 2}
