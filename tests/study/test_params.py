"""Numbers in params.yaml: they are to this project what they are to DVC, which writes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import load_yaml

from study.params import ParamsError, read_params, read_section
from study.training.config import MixupConfig
from study.validation import read_study

ROOT = Path(__file__).parents[2]


def write(folder: Path, text: str) -> Path:
    path = folder / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_numbers_are_what_they_are_to_dvc(tmp_path: Path) -> None:
    """Of YAML 1.1, which PyYAML reads, 010 is 8, 1:30 is 90, yes is true and 1e5 is a text."""
    text = "[010, 1:30, yes, 1_0, 0x1f, 2001-01-01, e5, 1e, ., 12, -3, 1.5, true, null, ~]"
    assert read_params(write(tmp_path, f"a: {text}"))["a"] == [
        *("010", "1:30", "yes", "1_0", "0x1f", "2001-01-01", "e5", "1e", "."),
        *(12, -3, 1.5, True, None, None),
    ]
    text = "[1e5, 1e-05, 2.0e-3, 2.e3, .5e3, .5, +1., -1E+2, -.5e-3]"
    found = read_params(write(tmp_path, f"a: {text}"))["a"]
    assert found == [100_000.0, 0.00001, 0.002, 2000.0, 500.0, 0.5, 1.0, -100.0, -0.0005]
    assert {type(number) for number in found} == {float}


def leaves(params: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """List what `-S` can turn: every key that holds no further keys."""
    for key, value in params.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, *path, key)
        else:
            yield ".".join([*path, key]), value


AS_TYPED = {
    float: ["1e-5", "1e-05", "1e5", "1E-7", "2.5e-3", "+1.5", "3", "5e-324", "1e22", "-0.0"],
    int: ["7", "0", "1e3", "12345678901234567890"],
    bool: ["true", "false"],
    list: ["[]", "[1e-7]", "[7, 8]", "[baseline]", "['1e-5', '010', 'null']"],
    str: ["null", "word", "'1e-5'", "'1_0'", "'.5e+3'", "''", "'true'", "'2.0'", "010"],
    dict: ["{}"],
}


@pytest.mark.slow
@pytest.mark.parametrize("study", [".", "full"])
def test_every_key_that_dvc_turns_is_read_as_what_dvc_wrote(tmp_path: Path, study: str) -> None:
    source = ROOT / study / "params.yaml"
    keys = list(leaves(yaml.safe_load(source.read_text())))
    assert len(keys) > 50
    for turn in range(3):  # in each, all forms are tried, on one key or another
        path = write(tmp_path, source.read_text())
        forms = {key: AS_TYPED[type(value)] for key, value in keys}
        typed = {
            key: some[(place + turn) % len(some)] for place, (key, some) in enumerate(forms.items())
        }
        apply_overrides(path, [f"{key}={text}" for key, text in typed.items()])
        found = dict(leaves(read_params(path)))
        # repr tells 1 from 1.0 and from True
        assert repr(found) == repr(dict(leaves(load_yaml(path))))
        numbers = [(key, found[key]) for key, value in keys if type(value) is float]
        assert all(value == float(typed[key]) for key, value in numbers)


def test_a_small_number_that_dvc_wrote_can_be_used(tmp_path: Path) -> None:
    path = write(tmp_path, (ROOT / "params.yaml").read_text())
    apply_overrides(
        path,
        [
            "experiments.mnist_2d.training.learning_rate=1e-5",
            "experiments.spirals.training.learning_rate=2e-12",
        ],
    )
    assert "learning_rate: 1e-05" in path.read_text()
    experiments = read_study(path).experiments
    assert experiments["mnist_2d"].training.learning_rate == 0.00001
    assert experiments["spirals"].training.learning_rate == 2e-12


@pytest.mark.parametrize("text", ["'1e-4'", "'1e5'", "1_0", "'2.0'", "010"])
def test_the_advised_number_is_one(tmp_path: Path, text: str) -> None:
    with pytest.raises(ParamsError) as error:
        read_section(MixupConfig, "mixup", path=write(tmp_path, f"mixup:\n  alpha: {text}\n"))
    advised = str(error.value).partition(": write ")[2].removesuffix(" without quotes")
    value = read_params(write(tmp_path, f"a: {advised}"))["a"]
    assert isinstance(value, float)
    assert value == float(text.strip("'"))
