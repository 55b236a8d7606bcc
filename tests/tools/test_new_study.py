"""The folder of a new study: what it holds for which data, and that bad words leave nothing."""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from study.data.own_config import OwnDataConfig
from study.errors import StudyError
from study.inference.claims import read_claims
from study.inference.design import read_design
from study.new_study.words import own_key
from study.params import check, read_params, read_section
from study.training.experiment import ExperimentConfig
from study.validation import read_study
from tests.commands import completed
from tools.new_study import FILES, new_study, own_section, words

NET = """
import torch
from parts import hidden

def build(shape, n_classes):
    return torch.nn.Sequential(hidden(shape[0]), torch.nn.ReLU(), torch.nn.Linear(8, n_classes))
"""

pytestmark = pytest.mark.usefixtures("clone")


@pytest.fixture
def table() -> Path:
    rng = np.random.default_rng(0)
    rows = {"size": rng.normal(size=60), "colour": ["red", "blue", "green"] * 20}
    pd.DataFrame(rows | {"species": ["a"] * 45 + ["b"] * 15}).to_csv("my.csv", index=False)
    return Path("my.csv")


def experiment(folder: Path) -> ExperimentConfig:
    found: ExperimentConfig = read_study(folder / "params.yaml").experiments["own"]
    return found


def test_data_outside_the_repository_are_found_from_its_copies_too(
    table: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    Path(".git").mkdir()
    outside = table.rename(tmp_path_factory.mktemp("outside") / "my.csv")
    for name, path in (("one", os.path.relpath(outside)), ("other", str(outside))):
        new_study(Path(name), {"path": path, "target": "species"}, None, 2)
        config = read_section(OwnDataConfig, "own", path=f"{name}/params.yaml")
        assert config.path == outside.as_posix()


def test_a_study_of_a_table_is_whole_and_can_run(table: Path) -> None:
    said = new_study(Path("mine"), {"path": "my.csv", "target": "species"}, None, 3)
    assert "60 samples" in said
    assert "a 45, b 15" in said
    found = {path.relative_to("mine").as_posix() for path in Path("mine").rglob("*.*")}
    assert {*FILES.values()} - {".dvc/config"} <= found
    own = experiment(Path("mine"))
    assert own.net.kind == "tabular"
    assert own.training.standardise
    config = read_section(OwnDataConfig, "own", path="mine/params.yaml")
    assert (config.path, config.target) == ("../my.csv", "species")
    assert read_params("mine/params.yaml")["seeds"] == [0, 1, 2]
    stages = yaml.safe_load(Path("mine/dvc.yaml").read_text())["stages"]
    assert stages["read_data"]["cmd"] == "python ../stages read_data"
    assert "${own.path}" in stages["read_data"]["deps"]
    assert Path("mine/README.md").read_text().count("\n") <= 12


def test_the_questions_are_of_what_is_measured_and_of_resampled_data(table: Path) -> None:
    new_study(Path("mine"), {"path": "my.csv", "target": "species"}, None, 3)
    claims = read_claims("mine/claims.yaml")
    assert {claim.than for claim in claims} == {"baseline", "weight_decay"}
    # 45 of a class and 15 of the other: accuracy is the mean over classes
    metrics = {claim.metric for claim in claims}
    assert metrics == {"test_nll", "test_balanced_accuracy", "test_ece"}
    design = read_design(claims, {"own": experiment(Path("mine"))}, "mine/claims.yaml")
    assert design.resampled == {"own": pytest.approx(0.2 / 0.64)}


@pytest.mark.parametrize(
    ("name", "net", "layers"),
    [("iris", "mlp", [0, 1, 2]), ("digits", "cnn", ["input", "blocks.0", "blocks.1"])],
)
def test_a_set_of_scikit_learns_gets_the_net_that_fits(name: str, net: str, layers: list) -> None:
    new_study(Path("mine"), {"name": name}, None, 2)
    own = experiment(Path("mine"))
    assert own.net.kind == net
    assert own.methods["manifold"].eligible == layers
    choose = own.methods["chosen_mixup"].choose
    assert choose
    assert choose.eligible == [layers[:1], layers, layers[1:]]
    stages = yaml.safe_load(Path("mine/dvc.yaml").read_text())["stages"]
    assert stages["read_data"]["deps"] == ["data/params_are_valid"]


def test_a_net_of_ones_own_comes_along_with_what_it_imports() -> None:
    Path("parts.py").write_text("import torch\ndef hidden(n):\n    return torch.nn.Linear(n, 8)\n")
    Path("my_net.py").write_text(NET)
    new_study(Path("mine"), {"name": "iris"}, "my_net.py:build", 2)
    assert Path("mine/my_net.py").read_text() == NET
    assert Path("mine/parts.py").exists()
    own = experiment(Path("mine"))
    assert own.net.module == "my_net.py:build"
    assert own.methods["manifold"].eligible == ["input", "0", "1"]


@pytest.mark.parametrize(
    ("own", "net", "said"),
    [
        ({"path": "my.csv", "target": "spices"}, None, "species"),
        ({"path": "my.csv", "target": "size"}, None, "quantity"),
        ({"path": "no.csv", "target": "species"}, None, "is not there"),
        ({"path": "my.csv", "target": "species"}, "cnn", "needs images"),
        ({"name": "iris"}, "mpl", "did you mean mlp"),
        ({"name": "iris"}, "no_net.py:build", "no file"),
        ({"name": "iris", "wrong": 1}, None, "not a known key"),
    ],
)
def test_what_cannot_be_used_leaves_nothing(table: Path, own: dict, net: str, said: str) -> None:
    before = sorted(Path().iterdir())
    with pytest.raises(StudyError, match=said):
        new_study(Path("mine"), own, net, 2)
    assert sorted(Path().iterdir()) == before


def test_images_smaller_than_the_net_needs(tmp_path: Path) -> None:
    pixels = np.arange(40 * 9, dtype=np.float32).reshape(40, 1, 3, 3) / 360
    np.savez("tiny.npz", inputs=pixels, labels=np.arange(40) % 2)
    with pytest.raises(StudyError, match=r"cnn needs 4 pixels a side at least, .* are of 3 x 3"):
        new_study(Path("mine"), {"path": "tiny.npz"}, None, 2)
    new_study(Path("mine"), {"path": "tiny.npz"}, "resnet18", 2)


def test_seeds_of_which_nothing_can_be_told() -> None:
    with pytest.raises(StudyError, match="--seeds must be at least 2, got 1"):
        new_study(Path("mine"), {"name": "iris"}, None, 1)
    with pytest.raises(StudyError, match="--seeds must be at most 10,000, got 1,000,000"):
        new_study(Path("mine"), {"name": "iris"}, None, 1_000_000)


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        ("decimal=,", "decimal", ","),
        ("separator=;", "separator", ";"),
        ("separator=|", "separator", "|"),
        ("separator=\t", "separator", "\t"),
        ("drop=[id, date]", "drop", ["id", "date"]),
        ("image_size=32", "image_size", 32),
        ("image_size=8", "image_size", 8),
        ("encoding=latin-1", "encoding", "latin-1"),
        ("missing=[-, '']", "missing", ["-", ""]),
    ],
)
def test_keys_on_the_command_line(words: str, key: str, value: object) -> None:
    assert own_key(words) == (key, value)
    assert getattr(check(OwnDataConfig, {"name": "iris", key: value}), key) == value


@pytest.mark.parametrize("words", ["drop", "drop=[id", "missing=- ["])
def test_keys_that_cannot_be_read(words: str) -> None:
    with pytest.raises(StudyError, match="--own ") as error:
        own_key(words)
    assert str(error.value).isprintable()


def test_a_folder_that_is_there_is_left_alone(table: Path) -> None:
    Path("mine").mkdir()
    with pytest.raises(StudyError, match="already exists"):
        new_study(Path("mine"), {"path": "my.csv", "target": "species"}, None, 2)
    assert not list(Path("mine").iterdir())


def test_a_study_outside_of_the_clone_needs_the_project_installed(
    monkeypatch: pytest.MonkeyPatch, clone: Path
) -> None:
    (clone / "inside").mkdir()
    monkeypatch.setattr("study.new_study.folder.ROOT", clone / "inside")
    with pytest.raises(StudyError, match="pip install"):
        new_study(Path("mine"), {"name": "iris"}, None, 2)


def test_texts_of_any_kind_can_be_names_of_columns() -> None:
    name = 'a "b": <c>, é'
    rows = {"x": np.arange(40) % 7, name: ["u", "v"] * 20}
    pd.DataFrame(rows).to_csv("odd.csv", index=False)
    new_study(Path("mine"), {"path": "odd.csv", "target": name}, None, 2)
    own = check(OwnDataConfig, read_params("mine/params.yaml")["own"])
    assert own.target == name


def test_columns_named_one_by_one_are_all_taken(table: Path) -> None:
    said = ["mine", "--data", "my.csv", "--target", "size"]
    assert own_section(words(said))["target"] == "size"
    assert own_section(words([*said, "--target", "species"]))["target"] == ["size", "species"]
    assert own_section(words(["mine", "--data", "digits"]))["target"] is None


@pytest.mark.parametrize("name", ["digits", "iris", "wine", "breast_cancer"])
def test_data_sets_of_scikit_learn_are_named_like_files(name: str) -> None:
    section = own_section(words(["mine", "--data", name]))
    assert check(OwnDataConfig, section).name == name
    with pytest.raises(StudyError, match="neither a file nor a data set"):
        own_section(words(["mine", "--data", "csv"]))


def test_a_folder_that_the_target_took(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        words(["--data", "my.csv", "--target", "species", "mine"])
    assert "--target took species mine; name it before" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        words(["--data", "my.csv", "--target", "species"])
    assert "is missing; name it before the options" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["colour,species", ["colour,", "species"]])
def test_columns_with_a_comma_between(table: Path, target: str | list[str]) -> None:
    with pytest.raises(StudyError, match="; for several columns write --target colour species"):
        new_study(Path("mine"), {"path": "my.csv", "target": target}, None, 2)


def test_usage_is_what_one_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])  # whose first entry the command replaces
    for name in ("new_study", "show_results"):
        done = completed("tools", name, "--help")
        assert done.returncode == 0
        assert done.stdout.startswith(f"usage: python -m tools {name} ")
