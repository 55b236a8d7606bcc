"""Code as a dependency, by meaning: what each edit makes a real `dvc repro` run again."""

import re
from collections.abc import Callable

import pytest

from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow

AFTER_TRAINING = {"embed_bottleneck", "svd_analysis", "summarize", "claims", "plots", "report"}


def edit(study: Project, file: str, old: str, new: str) -> None:
    """Replace the first place that a regular expression finds in a file."""
    path = study.folder / file
    text, n = re.subn(old, new, path.read_text(), count=1, flags=re.MULTILINE)
    assert n == 1, f"{file} has no {old}"
    path.write_text(text)


def trains(stages: set[str]) -> set[str]:
    return {stage for stage in stages if stage.startswith("train_") and "@" in stage}


def test_comments_docstrings_and_layout_rerun_the_digests_alone(study: Project) -> None:
    for file in ("mixup/mixing/formula.py", "study/training/trainer.py", "stages/train.py"):
        edit(study, file, r"\A\"\"\"", '"""A new sentence. ')
        with (study.folder / file).open("a") as source:
            source.write("\n\n# A comment.\n")
    edit(study, "study/figures/style.py", r"^import .*\n", r"\g<0>\n\n")
    assert study.repro() == {"code"}
    assert study.run("git", "status", "--porcelain", "code.json").stdout == ""
    assert study.repro() == set()


def test_an_edit_in_mixing_retrains_and_is_named(study: Project) -> None:
    edit(study, "mixup/mixing/formula.py", r"\Z", "\nX = 1\n")
    ran = study.repro()
    assert len(trains(ran)) == 10
    # Other code, and after it runs of the same bytes: what does not load nets has nothing to do.
    assert not ran & {"generate_spirals", "download_mnist", "claims"}
    named = study.run("dvc", "params", "diff").stdout
    assert "code.json" in named
    assert " train " in named
    assert "generate_spirals" not in named


@pytest.mark.parametrize(
    ("change", "rerun"),
    [
        pytest.param(
            lambda study: edit(study, "study/figures/curves.py", r"\Z", "\nX = 1\n"),
            {"plots"},
            id="figure",
        ),
        pytest.param(
            lambda study: edit(study, "study/report/style.css", r"\Z", "\nb {}\n"),
            {"report"},
            id="style sheet",
        ),
        pytest.param(
            lambda study: edit(study, "study/training/stack.py", r"\Z", "\nX = 1\n"),
            set(),
            id="cohort",
        ),
        pytest.param(
            lambda study: edit(study, "stages/train_ahead.py", r"^def main", "X = 1\n\n\ndef main"),
            set(),
            id="launcher",
        ),
        pytest.param(
            lambda study: edit(study, "study/command.py", r"\Z", "\nX = 1\n"),
            set(),
            id="command",
        ),
        pytest.param(
            lambda study: edit(study, "requirements.lock", r"^tqdm==", "tqdm==9."),
            set(),
            id="another package",
        ),
    ],
)
def test_edits_rerun_what_they_can_change(
    change: Callable[[Project], None], rerun: set[str], study: Project
) -> None:
    change(study)
    ran = study.repro()
    assert "code" in ran
    assert ran - {"code"} >= rerun
    assert ran - {"code"} <= rerun | ({"report"} if rerun else set())


def test_a_new_torch_in_the_lock_file_retrains(study: Project) -> None:
    edit(study, "requirements.lock", r"^torch==.*$", "torch==99.0")
    assert len(trains(study.repro())) == 10
