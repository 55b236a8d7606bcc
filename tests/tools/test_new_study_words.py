"""What a new study says: how much it trains, what to beware of, and which options there are."""

import shlex
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from study.data.own_config import OwnDataConfig
from study.errors import StudyError
from study.new_study.words import OPTIONS
from study.params import check
from tools.new_study import new_study, own_section, words

pytestmark = pytest.mark.usefixtures("clone")


@pytest.fixture
def table() -> Path:
    rows = {"size": np.random.default_rng(0).normal(size=60)}
    pd.DataFrame(rows | {"species": ["a"] * 45 + ["b"] * 15}).to_csv("my.csv", index=False)
    return Path("my.csv")


def test_runs_and_trainings_are_both_counted(table: Path) -> None:
    said = new_study(Path("mine"), {"path": "my.csv", "target": "species"}, None, 3)
    assert "3 seeds, six methods: 18 runs, 51 trainings with those tried for a choice" in said


def test_few_test_samples_of_a_class_are_cautioned_of(table: Path) -> None:
    said = new_study(Path("mine"), {"path": "my.csv", "target": "species"}, None, 2)
    assert "Caution: b has 3 test samples on each seed" in said
    assert "Caution" not in Path("mine/README.md").read_text()
    assert "Caution" not in new_study(Path("enough"), {"name": "iris"}, None, 2)


def test_samples_that_are_there_twice_are_cautioned_of(table: Path) -> None:
    rows = pd.read_csv(table)
    pd.concat([rows, rows[:30], rows[:1]]).to_csv("twice.csv", index=False)
    own = {"path": "twice.csv", "target": "species"}
    said = new_study(Path("mine"), own, None, 2)
    assert "Caution: 31 samples have the inputs of an earlier one, and may be on both" in said
    groups = pd.read_csv("twice.csv").assign(g=lambda frame: frame["size"].map("{:.17g}".format))
    groups.to_csv("twice.csv", index=False)
    assert "31 samples" not in new_study(Path("grouped"), own | {"group": "g"}, None, 2)


def test_a_folder_that_git_ignores_is_cautioned_of(table: Path) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    Path(".gitignore").write_text("/data/\n")
    own = {"path": "my.csv", "target": "species"}
    assert "Caution: Git ignores data" in new_study(Path("data"), own, None, 2)
    assert "Git ignores" not in new_study(Path("mine"), own, None, 2)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ({"decimal": ";"}, "own.decimal should be .*On the command line: --own decimal=,$"),
        ({"target": "spices"}, "On the command line: --target COLUMN$"),
        ({"smallest_class": 16}, "On the command line: --own smallest_class=3$"),
        ({}, r'--own decimal=, or --own \'missing=\["", "\?", "NA", .*, "TEXT"\]\''),
    ],
)
def test_errors_name_the_option_that_one_types(table: Path, key: dict, said: str) -> None:
    frame = pd.read_csv(table).astype(object)
    frame.loc[3, "size"] = "1,5"
    frame.to_csv("comma.csv", index=False)
    path = "my.csv" if key else "comma.csv"
    with pytest.raises(StudyError, match=said):
        new_study(Path("mine"), {"path": path, "target": "species"} | key, None, 2)


@pytest.mark.parametrize("key", sorted(OPTIONS))
def test_options_that_errors_name_are_taken(key: str) -> None:
    assert key in OwnDataConfig.model_fields
    if OPTIONS[key].startswith("--own "):
        taken = words(["mine", "--data", "iris", *shlex.split(OPTIONS[key])])
        assert getattr(check(OwnDataConfig, own_section(taken)), key) is not None


def test_what_lies_in_the_study_says_commit_and_leads_to_help_that_is_everywhere(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new_study(Path("mine"), {"path": "my.csv", "target": "species"}, None, 2)
    for name in ("README.md", "params.yaml"):
        text = Path("mine", name).read_text()
        assert "commit" in text
        assert "tools new_study --help" in text
    with pytest.raises(SystemExit):
        words(["--help"])
    help_said = " ".join(capsys.readouterr().out.split())
    for option in OPTIONS.values():
        assert option in help_said
