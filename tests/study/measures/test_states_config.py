"""The section of params.yaml that says which hidden states are measured."""

from typing import Any

import pytest

from study.measures.states_config import StatesConfig
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
            "names 'spiral', which is no experiment: did you mean spira",
        ),
        (
            {"features": {"spirals": ["manifld"]}},
            "states.features.spirals names 'manifld': did you",
        ),
        ({"features": {"spirals": ["input", "input"]}}, "spirals must not repeat an entry"),
        ({"bottlenecks": ["mnist"]}, "states.bottlenecks names 'mnist', which is no experiment"),
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
