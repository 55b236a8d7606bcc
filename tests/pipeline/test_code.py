"""Code as a dependency, by meaning: what each edit makes a real `dvc repro` run again."""

import re
from collections.abc import Iterator

import pytest
from dvc.repo import Repo

from tests.pipeline.project import Project, hashes

pytestmark = pytest.mark.slow


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


def test_an_edit_in_mixing_retrains_to_the_same_bytes_and_is_named(study: Project) -> None:
    before = {name: hashes(study.folder / name) for name in ("runs", "metrics")}
    edit(study, "mixup/mixing/formula.py", r"\Z", "\nX = 1\n")
    ran = study.repro("claims", "svd_analysis", "generate_spirals")
    assert len(trains(ran)) == 10
    assert {name: hashes(study.folder / name) for name in before} == before
    # Other code, and after it runs of the same bytes: what does not load nets has nothing to do.
    assert not ran & {"generate_spirals", "download_mnist", "claims"}
    named = study.run("dvc", "params", "diff").stdout
    assert "code.json" in named
    assert " train " in named
    assert "generate_spirals" not in named


@pytest.fixture(scope="module")
def copied(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return finished.copy(tmp_path_factory.mktemp("edited") / "study")


@pytest.fixture
def edited(copied: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """Enter a copy of the finished study, for edits that are taken back."""
    monkeypatch.chdir(copied.folder)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(copied.folder.parent / "site-cache"))
    yield copied
    copied.run("git", "checkout", "-q", ".")


TRAINING = {"train_spirals_plain@baseline-0", "train_mnist_2d_mixing@manifold-1", "train_ahead"}


@pytest.mark.parametrize(
    ("file", "old", "new", "stale", "fresh"),
    [
        ("study/figures/curves.py", r"\Z", "\nX = 1\n", {"plots"}, TRAINING),
        ("study/report/style.css", r"\Z", "\nb {}\n", {"report"}, TRAINING | {"plots"}),
        ("study/training/stack.py", r"\Z", "\nX = 1\n", set(), None),
        ("stages/train_ahead.py", "^def main", "X = 1\n\n\ndef main", set(), None),
        ("study/command.py", r"\Z", "\nX = 1\n", set(), None),
        ("requirements.lock", "^tqdm==", "tqdm==9.", set(), None),
        ("requirements.lock", "^torch==.*$", "torch==99.0", TRAINING, {"claims"}),
    ],
)
def test_edits_put_out_of_date_what_they_can_change(
    edited: Project, file: str, old: str, new: str, stale: set[str], fresh: set[str] | None
) -> None:
    edit(edited, file, old, new)
    edited.run("python", "-m", "stages.code")
    with Repo() as repo:
        found = {stage for stage, why in repo.status().items() if "code.json" in str(why)}
    found.discard("code")
    assert found >= stale
    assert not (found if fresh is None else found & fresh)
