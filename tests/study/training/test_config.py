"""What params.yaml may say, and how a wrong value is named."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from study.params import ParamsError, read_params, read_section
from study.paths import RunKey
from study.training.config import NetConfig, TrainingConfig
from study.training.experiment import ExperimentConfig, all_runs, read_run_config

PARAMS: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "params.yaml").read_text())


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(PARAMS))
    return path


def experiment(**changes: Any) -> ExperimentConfig:
    return ExperimentConfig.model_validate(PARAMS["experiments"]["spirals"] | changes)


def test_hidden_sizes_have_the_bottleneck_in_its_place() -> None:
    net = PARAMS["experiments"]["mnist_12d"]["net"] | {"width": 1024}
    sizes = NetConfig.model_validate(net).hidden_sizes
    assert sizes == [1024, 1024, 1024, 12, 1024, 1024, 1024, 1024]


def test_plain_run_does_not_read_alpha(params: Path) -> None:
    params.write_text(yaml.safe_dump({k: v for k, v in PARAMS.items() if k != "mixup"}))
    assert read_run_config(RunKey("spirals", "dropout", 3), params).alpha is None
    with pytest.raises(ParamsError, match=r"mixup is missing"):
        read_run_config(RunKey("spirals", "manifold", 3), params)


def test_run_config_holds_what_decides_the_run(params: Path) -> None:
    config = read_run_config(RunKey("mnist_2d", "manifold", 4), params)
    assert (config.seed, config.data, config.alpha) == (4, "mnist", 2.0)
    assert config.settings.eligible == [3, 4]
    assert config.net.hidden_sizes == [512, 512, 2, 512, 512]


def test_unknown_experiment_and_method_are_named(params: Path) -> None:
    with pytest.raises(ParamsError, match=r"experiments\.cifar is missing"):
        read_run_config(RunKey("cifar", "baseline", 0), params)
    with pytest.raises(ParamsError, match=r"experiments\.spirals\.methods\.cutmix is missing"):
        read_run_config(RunKey("spirals", "cutmix", 0), params)


def test_layer_out_of_range_is_named(params: Path) -> None:
    changed = yaml.safe_load(params.read_text())
    changed["experiments"]["spirals"]["methods"]["hidden"]["eligible"] = [1, 9]
    params.write_text(yaml.safe_dump(changed))
    with pytest.raises(ParamsError, match=r"must lie within 0\.\.3, got \[1, 9\]"):
        read_run_config(RunKey("spirals", "hidden", 0), params)


def test_runs_are_enumerated_in_the_order_of_params() -> None:
    runs = all_runs([7, 3], {"spirals": experiment(plain=["baseline"], mixing=["input"])})
    assert runs == [
        ("spirals", "baseline", 7),
        ("spirals", "baseline", 3),
        ("spirals", "input", 7),
        ("spirals", "input", 3),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"plain": ["baseline", "cutmix"]},
            r"plain names 'cutmix', which is not in methods; there are: baseline, ",
        ),
        ({"plain": ["baseline", "input"]}, r"plain and mixing both name \['input'\]"),
        (
            {"plain": ["baseline"], "mixing": ["dropout"]},
            r"methods\.dropout\.eligible must not be empty for a mixing method, got \[\]",
        ),
        (
            {"plain": ["input"], "mixing": []},
            r"methods\.input\.eligible must be empty for a plain method, got \[0\]",
        ),
        ({"plain": ["baseline", "baseline"]}, "must not repeat an entry"),
        *(
            (
                {"methods": {"a": setting, "b": {}}, "plain": ["b", "a"], "mixing": []},
                rf"methods\.a\.{next(iter(setting))} is of no effect in a plain method",
            )
            for setting in ({"alpha": 2.0}, {"mixes": "labels"}, {"stop_gradient": True})
        ),
    ],
)
def test_method_lists_must_fit_the_methods(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        experiment(**changes)


@pytest.mark.parametrize("length", [{}, {"steps": 10, "epochs": 2}])
def test_training_length_is_given_once(length: dict[str, int]) -> None:
    recipe = {"test_fraction": 0.5, "batch_size": 4, "learning_rate": 0.1, "evaluations": 1}
    with pytest.raises(ValueError, match="must give either steps or epochs"):
        TrainingConfig.model_validate(recipe | length)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1", "cannot be used, line 1: expected"),
        ("- 1", "must be a mapping, got list"),
        ("", "must be a mapping, got NoneType"),
    ],
)
def test_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ParamsError, match=said):
        read_params(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"nowhere\.yaml cannot be read: No such file"):
        read_section(int, "seed", path=tmp_path / "nowhere.yaml")
