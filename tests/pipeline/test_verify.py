"""``python -m tools.verify`` and ``make verify`` on a study that was really run."""

import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pandas as pd
import pytest

from tests.commands import completed
from tests.pipeline.project import ROOT, Project, hashes

pytestmark = pytest.mark.slow


@pytest.fixture
def study(finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Copy the finished tiny study for one test, and enter it."""
    copied = finished.copy(tmp_path / "study")
    monkeypatch.chdir(copied.folder)
    return copied


def verify(*arguments: str) -> CompletedProcess[str]:
    return completed("tools.verify", *arguments)


def edit(study: Project, name: str, rows: dict[str, object], column: str, value: object) -> None:
    """Set a column where the others are as in ``rows``."""
    path = study.folder / "metrics" / name
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    chosen = pd.concat([table[key] == wanted for key, wanted in rows.items()], axis=1).all(axis=1)
    assert chosen.any()
    table.loc[chosen, column] = value
    table.to_csv(path, index=False)


def test_same_results_hold(study: Project) -> None:
    done = verify()
    assert (done.returncode, done.stderr) == (0, "")
    assert "against HEAD (" in done.stdout
    assert "The results hold." in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("spirals    manifold")]
    assert line.split()[2:5] == ["2", "of", "2"]
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert len(done.stdout.splitlines()) <= 40


def test_number_far_out_is_named(study: Project) -> None:
    number: dict[str, object] = {"experiment": "spirals", "method": "manifold"}
    edit(study, "runs.csv", number | {"metric": "test_nll"}, "value", 1000)
    done = verify()
    assert done.returncode == 1
    assert "spirals manifold test_nll: " in done.stdout
    assert "-> 1000 (to hold: within" in done.stdout
    assert done.stderr == "error: the results do not hold: means outside the seeds' spread: 1\n"
    study.commit("other numbers")
    assert verify().returncode == 0
    assert verify("--against", "HEAD~1").returncode == 1


def test_verdict_that_flipped_is_named_and_one_that_moved_is_no_failure(study: Project) -> None:
    claim: dict[str, object] = {"id": "S2-uncertain-mixup"}
    edit(study, "claims.csv", claim, "verdict", "supported")
    study.commit("a verdict")
    edit(study, "claims.csv", claim, "verdict", "inconclusive")
    moved = verify()
    assert (moved.returncode, moved.stderr) == (0, "")
    assert "S2-uncertain-mixup: supported -> inconclusive" in moved.stdout
    edit(study, "claims.csv", claim, "verdict", "contradicted")
    flipped = verify()
    assert flipped.returncode == 1
    assert "flipped:\n  S2-uncertain-mixup: supported -> contradicted" in flipped.stdout
    assert flipped.stderr == "error: the results do not hold: verdicts that flipped: 1\n"


def test_missing_runs_and_verdicts_are_named(study: Project) -> None:
    path = study.folder / "metrics/runs.csv"
    lines = path.read_text().splitlines(keepends=True)
    gone = [line for line in lines if line.startswith("mnist_2d,manifold,1,")]
    path.write_text("".join(line for line in lines if line not in gone))
    ledger = study.folder / "metrics/claims.csv"
    header, verdict, *others = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join([header, *others]))
    done = verify()
    assert done.returncode == 1
    assert "missing here:\n  mnist_2d manifold, seeds 1: all metrics\n" in done.stdout
    assert f"  {verdict.partition(',')[0]}: " in done.stdout
    assert done.stderr.endswith(f"numbers and verdicts that are missing: {len(gone) + 1}\n")
    path.unlink()
    assert "workspace holds no results" in verify().stderr
    assert "'nothing' is not a commit" in verify("--against", "nothing").stderr


def test_make_verify_trains_anew_and_leaves_the_folder_as_it_was(
    study: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shutil.copy(ROOT / "Makefile", study.folder)
    study.commit("Makefile")
    (study.folder / "params.yaml").write_text("not committed\n")
    temporary = tmp_path_factory.mktemp("t")  # a socket's path may not be long
    before = hashes(study.folder)
    # the set-up has tests of its own; here, it is taken for done
    command = ("env", f"TMPDIR={temporary}", "make", "-o", "setup", "verify")
    done = study.run(*command)
    runs = pd.read_csv(study.folder / "metrics/runs.csv").groupby(["experiment", "method", "seed"])
    assert f"\n{runs.ngroups} runs to train" in done.stdout
    assert "The results hold." in done.stdout
    assert hashes(study.folder) == before
    assert list(temporary.glob("verify.*")) == []
