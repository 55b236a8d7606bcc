"""The stage that writes the report, on the small study."""

import re
import shutil
from pathlib import Path

import pytest
from dvc.repo import Repo

from stages import report
from study.errors import StudyError
from study.params import read_section
from study.report.runs import run_command
from study.training.experiment import ExperimentConfig, Name, Seeds, all_runs
from tests.study.report.conftest import SEEDS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


@pytest.fixture
def inside(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Enter a copy of the study, which the tests of other processes look at."""
    folder = Path(shutil.copytree(study, tmp_path / "study"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def html(inside: Path) -> str:
    return (inside / "report/index.html").read_text(encoding="utf-8")


def test_a_second_run_gives_the_same_bytes(inside: Path, html: str) -> None:
    report.main()
    assert report.PAGE.read_text(encoding="utf-8") == html


def test_it_ends_with_what_was_found_and_what_to_open(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report.main()
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Found: ")
    assert said[-1].startswith("Open report/index.html in a browser")
    assert len(said) <= 3


def test_no_markup_of_params_and_claims_gets_into_the_page(html: str) -> None:
    assert "window.attacked" in html
    assert "<script>window.attacked" not in html
    assert "<img src=x" not in html


def test_claims_that_were_not_asked_are_not_called_open(inside: Path, html: str) -> None:
    assert "What is open</h2>" in html
    path = Path("metrics/claims.csv")
    content = path.read_text(encoding="utf-8")
    path.write_text(content.replace("inconclusive", "not asked"), encoding="utf-8")
    try:
        report.main()
        without = report.PAGE.read_text(encoding="utf-8")
    finally:
        path.write_text(content, encoding="utf-8")
        report.PAGE.write_text(html, encoding="utf-8")
    assert "What is open or not asked</h2>" in without
    assert "What is open</h2>" not in without


def test_page_names_no_other_file_and_no_folder_of_this_machine(inside: Path, html: str) -> None:
    assert not re.search(r'(?:src|srcset)="(?!data:)', html)
    assert not re.search(r'<link(?! rel="icon" href="data:)', html)
    assert "@import" not in html
    assert "url(" not in html
    assert str(inside) not in html
    assert str(ROOT) not in html
    assert len(html) < 1_000_000


def test_page_says_what_was_run(html: str) -> None:
    assert f"{', '.join(map(str, SEEDS))} (each decides" in html
    assert "lam is drawn from Beta(2, 2)" in html
    assert "kind arms, seed 0; 80 samples of 2 numbers in 2 classes" in html
    assert "<dt>Processor</dt>" in html
    assert re.search(r"torch \d+\.\d+", html)


def test_every_run_has_its_command(html: str) -> None:
    for group in ("plain@baseline", "mixing@manifold", "mixing@input"):
        for seed in SEEDS:
            assert re.search(rf"dvc repro train_spirals_{group}-{seed}\b", html)


@pytest.mark.parametrize(
    "missing",
    [
        *("metrics/claims.csv", "metrics/wins.csv", "metrics/curves.csv", "embeddings/flat.npz"),
        *("runs/spirals/input/3/history.csv", "runs/spirals/input/3/config.json"),
    ],
)
def test_a_missing_input_is_named_and_the_old_page_stays(
    inside: Path, html: str, missing: str
) -> None:
    path = Path(missing)
    content = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(StudyError, match=f"{missing} is missing"):
            report.main()
    finally:
        path.write_bytes(content)
    assert report.PAGE.read_text(encoding="utf-8") == html


@pytest.mark.parametrize("study", ["", "full", "examples/digits"])
def test_commands_are_those_of_stages_in_the_pipeline(
    study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT / study)
    start = f"cd {study} && dvc repro " if study else "dvc repro "
    seeds = read_section(Seeds, "seeds")
    experiments = read_section(dict[Name, ExperimentConfig], "experiments")
    with Repo() as repo:
        stages = {stage.addressing for stage in repo.index.stages}
    command = run_command(experiments)
    commands = [command(key) for key in all_runs(seeds, experiments)]
    assert all(text.startswith(start) for text in commands)
    named = {text.removeprefix(start) for text in commands}
    named |= {text.removeprefix("dvc repro ") for text in report.COMMANDS.values()}
    assert named <= stages
    assert len(set(commands)) == len(commands)
