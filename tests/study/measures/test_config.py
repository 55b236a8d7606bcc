"""What params.yaml may say about measuring, and what is refused."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from study.measures.config import StatesConfig
from study.params import ParamsError, check
from study.training.experiment import ExperimentConfig
from study.validation import read_study
from tests.study.test_validation import PARAMS, turned, write

EXPERIMENTS = {
    name: check(ExperimentConfig, experiment) for name, experiment in PARAMS["experiments"].items()
}
GOOD: dict[str, Any] = {
    "features": {"spirals": ["baseline", "manifold"]},
    "bottlenecks": ["mnist_2d"],
    "neighbours": 5,
    "pairs": 2000,
}


@pytest.mark.parametrize("also", [{}, {"features": {}}, {"bottlenecks": []}])
def test_what_there_is_can_be_measured(also: dict[str, Any]):
    check(StatesConfig, GOOD | also).check_fits(EXPERIMENTS)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"features": {"spiral": []}},
            "names 'spiral', which is not in experiments: did you mean spira",
        ),
        (
            {"features": {"spirals": ["manifld"]}},
            "states.features.spirals names 'manifld': did you",
        ),
        ({"features": {"spirals": ["input", "input"]}}, "spirals must not repeat an entry"),
        (
            {"bottlenecks": ["mnist"]},
            "states.bottlenecks names 'mnist', which is not in experiments",
        ),
        ({"bottlenecks": ["spirals"]}, "names 'spirals', which has no net.bottleneck"),
        ({"neighbours": 0}, "states.neighbours should be greater than or equal to 1, got 0"),
        ({"neighbours": 1001}, "states.neighbours should be less than or equal to 1000, got 1001"),
        ({"pairs": 0}, "states.pairs should be greater than or equal to 1, got 0"),
        ({"pairs": 10**6}, "states.pairs should be less than or equal to 100000, got 1000000"),
        ({"pair": 5}, "states.pair is not a known key: did you mean pairs?"),
    ],
)
def test_what_there_is_not_is_named_in_a_line(tmp_path, wrong: dict[str, Any], said: str):
    with pytest.raises(ParamsError) as error:
        read_study(write(tmp_path, turned(("states", GOOD | wrong))))
    assert said in str(error.value)
    assert str(error.value).isprintable()


def test_a_study_need_not_measure_states(tmp_path):
    assert read_study(write(tmp_path, turned())).states is None
    assert read_study(write(tmp_path, turned(("states", GOOD)))).states is not None


PARAMS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[3] / "full/params.yaml").read_text()
)
BAD: list[tuple[str, Any, str]] = [
    ("experiments", ["mnits"], "experiments names 'mnits', which is not in experiments: did you"),
    ("experiments", ["spirals_2d"], "names 'spirals_2d', whose data are spirals, not images"),
    ("experiments", ["mnist", "mnist"], "robustness.experiments must not repeat an entry"),
    ("attacks.radii", [], "robustness.attacks.radii"),
    ("attacks.radii", [0.1, 0.1], "robustness.attacks.radii must not repeat an entry"),
    ("attacks.radii", [0.0], "radii.0 should be greater than or equal to 0.0001, got 0.0"),
    ("attacks.radii", [1.5], "radii.0 should be less than or equal to 1, got 1.5"),
    ("attacks.pgd_steps", 0, "pgd_steps should be greater than or equal to 1, got 0"),
    ("attacks.pgd_searches", 0, "pgd_searches should be greater than or equal to 1, got 0"),
    ("attacks.n_samples", 1.5, "n_samples should be a valid integer"),
    ("attacks.radius", [0.1], "attacks.radius is not a known key: did you mean radii?"),
    ("deformations.rotations", [181.0], "rotations.0 should be less than or equal to 180"),
    ("deformations.shears", [90.0], "shears.0 should be less than or equal to 89, got 90.0"),
    ("deformations.zooms", [0.0], "zooms.0 should be greater than or equal to 0.01, got 0.0"),
]


def written(folder: Path, params: dict[str, Any]) -> Path:
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(params, sort_keys=False))
    return path


@pytest.mark.parametrize(("key", "value", "said"), BAD)
def test_a_bad_value_is_named_in_a_line(tmp_path: Path, key: str, value: Any, said: str) -> None:
    params = copy.deepcopy(PARAMS)
    *path, last = key.split(".")
    section = params["robustness"]
    for part in path:
        section = section[part]
    section[last] = value
    with pytest.raises(ParamsError) as error:
        read_study(written(tmp_path, params))
    assert said in str(error.value)
    assert str(error.value).isprintable()


def test_a_study_may_go_without_or_leave_lists_empty(tmp_path: Path) -> None:
    params = copy.deepcopy(PARAMS)
    params["robustness"]["deformations"] = {"rotations": [], "shears": [], "zooms": []}
    params["robustness"]["experiments"] = []
    assert read_study(written(tmp_path, params)).robustness
    del params["robustness"]
    assert read_study(written(tmp_path, params)).robustness is None
