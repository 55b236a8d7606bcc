"""The pipeline at a glance: what `dvc dag` draws, as lines."""

from pathlib import Path

import pytest
import yaml

from tests.commands import completed
from tools.show_stages import stages_text

ROOT = Path(__file__).parents[2]


def test_a_stage_comes_after_those_alone_that_no_other_waits_for():
    dot = 'strict digraph {\n"lone";\n"a" -> "b";\n"b" -> "c";\n"a" -> "c";\n"b" -> "d";\n}\n'
    assert stages_text(dot).splitlines() == [
        " 1  a",
        " 2  lone",
        " 3  b (after 1)",
        " 4  c, d (after 3)",
    ]


def test_a_stage_may_wait_for_several_lines():
    dot = '"a" -> "c";\n"b" -> "c";\n"b" -> "d";'
    assert stages_text(dot).splitlines() == [
        " 1  a",
        " 2  b",
        " 3  c (after 1, 2)",
        " 4  d (after 2)",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("study", [".", "full"])
def test_every_stage_of_a_study_is_on_one_screen(study: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT / study)
    done = completed("tools.show_stages")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 100
    stages = yaml.safe_load((ROOT / study / "dvc.yaml").read_text())["stages"]
    said = done.stdout.replace(",", " ").split()
    assert set(stages) <= set(said)
    assert said.index("code") < said.index("train_ahead") < said.index("claims")
