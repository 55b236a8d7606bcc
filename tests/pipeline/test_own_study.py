"""A study of one's own, made small: from the command line to the answer, and swept."""

import csv
import io
import json
import re
import statistics
from typing import Any

import pandas as pd
import pytest

from tests.commands import completed
from tests.pipeline.own_study import (
    AUGMENTATION,
    N_PATIENTS,
    NET,
    ROWS,
    TRAINED,
    make_small,
)
from tests.pipeline.project import CODE, Project, copy_from_project, hashes

pytestmark = pytest.mark.slow

QUANTILE = 12.706204736  # Student's t, 97.5 %, one degree of freedom: two seeds

Runs = dict[tuple[str, str, str], dict[str, float]]


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Run a study of patients, none of which is split, with net and augmentation of one's own."""
    clone = Project(tmp_path_factory.mktemp("clone"))
    copy_from_project(clone.folder, *CODE, "pyproject.toml", ".gitignore")
    with (clone.folder / ".gitignore").open("a") as ignored:
        ignored.write("/site-cache/\n")
    (clone.folder / "my_net.py").write_text(NET)
    ROWS.drop(columns="tired").to_csv(clone.folder / "ill.csv", index=False)
    clone.run("git", "init", "-q", "-b", "main")
    words = ("--data", "ill.csv", "--target", "ill", "--group", "patient", "--seeds", "2")
    made = ("python", "-m", "tools", "new_study", "mine", *words, "--net", "my_net.py:build")
    assert "cd mine && dvc repro" in clone.run(*made).stdout
    study = Project(clone.folder / "mine")
    make_small(study)
    (study.folder / "my_augmentation.py").write_text(AUGMENTATION)
    study.turn("experiments.own.training.augment", "my_augmentation.py:augment")
    study.run("dvc", "repro")
    clone.commit("results")
    return study


def runs(study: Project, revision: str) -> Runs:
    """Read a revision's metrics/runs.csv from Git, without the code under test."""
    commit = revision
    if revision != "HEAD":
        refs = study.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").stdout
        (commit,) = [ref for ref in refs.split() if ref.endswith(f"/{revision}")]
    text = study.run("git", "show", f"{commit}:./metrics/runs.csv").stdout
    found: Runs = {}
    for row in csv.DictReader(io.StringIO(text)):
        key = (row["experiment"], row["method"], row["metric"])
        found.setdefault(key, {})[row["seed"]] = float(row["value"])
    return found


def cells(page: str) -> dict[tuple[str, str, str], list[str]]:
    """Read data-value of the numbers of each row, and its finding."""
    found = {}
    for section in page.split("<h3>")[1:]:
        experiment = section.split("</h3>")[0]
        for row in section.split("<tr>")[2:]:
            if "data-value" not in row:
                continue
            texts = [part.split("</td>")[0] for part in row.split("<td>")[1:]]
            numbers = [part.split('"')[0] for part in row.split('data-value="')[1:]]
            high = row.split('data-high="')[1].split('"')[0]
            finding = texts[-1].replace("<strong>", "").replace("</strong>", "").strip()
            found[experiment, texts[0], texts[1]] = [*numbers[:4], high, finding]
    return found


def test_the_answer_is_printed_and_on_the_page(mine: Project) -> None:
    answer = (mine.folder / "metrics/answer.txt").read_text().splitlines()
    assert answer[0].startswith(("Tuned mixing", "It is open whether tuned mixing"))
    assert "against plain training that stops early, with a tuned weight decay" in answer[0]
    assert "not tuned" in answer[1]
    assert "against plain training (input mixup: alpha 1 at " in answer[1]
    assert "tuned weight decay" in answer[2]
    assert "were not tested" in answer[3]
    printed = " ".join(mine.run("python", "../tools", "show_results").stdout.split())
    page = (mine.folder / "report/index.html").read_text()
    for line in answer:
        assert line in printed
    assert page.index("were not tested") < page.index("15 claims")  # the answer comes first
    for question in ("log-likelihood of test data?", "the accuracy on test", "better calibrated?"):
        assert question in page
    choices = pd.read_csv(mine.folder / "metrics/choices.csv")
    assert len(choices) == 2 + 2  # a weight decay and an alpha, on two seeds
    claims = pd.read_csv(mine.folder / "metrics/claims.csv")
    assert (claims["resampled"] > 0).all()
    assert len(claims) == 15
    assert f"in {N_PATIENTS} groups that are on one side of each split" in page
    drawn = {path.name for path in (mine.folder / "figures/study").iterdir()}
    assert {"methods_own.png", "curves_own.png", "draws_own.png", "reliability_own.png"} <= drawn


def test_nothing_of_the_data_is_for_git(mine: Project) -> None:
    listed = mine.run("git", "ls-files").stdout.split()
    assert not [name for name in listed if name.startswith(("data/", "runs/", "report/"))]
    assert {"metrics/answer.txt", "dvc.lock", "params.yaml", ".dvc/config"} <= set(listed)


def test_a_second_repro_has_nothing_to_do(mine: Project) -> None:
    assert mine.repro() == {"code"}


def test_the_page_names_the_stage_that_trains_a_run(mine: Project) -> None:
    page = (mine.folder / "report/index.html").read_text()
    assert set(re.findall(r"dvc repro (train_\S+?@[\w-]+)", page)) == set(TRAINED)


def test_an_edit_of_ones_own_code_retrains_and_a_comment_does_not(mine: Project) -> None:
    codes = {"my_net.py": NET, "my_augmentation.py": AUGMENTATION}
    for file, code in codes.items():
        (mine.folder / file).write_text(f"# A comment.\n{code}")
    assert mine.repro() == {"code"}
    digests = set()
    for file, code in codes.items():
        (mine.folder / file).write_text(code.replace("8", "9").replace("0.1", "0.2"))
        mine.run("python", "../stages", "code")
        digests.add(json.loads((mine.folder / "code.json").read_text())["own"])
    assert len(digests) == 2
    mine.run("dvc", "repro", "code")
    out_of_date = mine.run("dvc", "status").stdout
    assert all(stage in out_of_date for stage in TRAINED)
    mine.run("git", "checkout", "-q", ".")


# A parameter is swept. HEAD has alpha = 1.

SWEEP = ("python", "../tools", "sweep", "mixup.alpha", "0.4", "1")


@pytest.fixture(scope="module")
def experiment(mine: Project) -> str:
    """Sweep as a user does, and give the name of the one experiment that this runs."""
    before = hashes(mine.folder / "runs"), mine.run("git", "status", "--porcelain", ".").stdout
    swept = mine.run(*SWEEP).stdout
    told = [line for line in swept.splitlines() if line.startswith("Experiment")]
    assert told == ["Experiment 1 of 1: dvc exp run --temp -S mixup.alpha=0.4"]
    ((name, _),) = re.findall(r"^mixup\.alpha = 0\.4 \((.*)\), 1 \((.*)\)$", swept, re.MULTILINE)
    assert (mine.folder / "report/sweep_mixup.alpha.png").exists()
    after = hashes(mine.folder / "runs"), mine.run("git", "status", "--porcelain", ".").stdout
    assert after == before
    return str(name)


def test_what_was_swept_is_not_run_again(mine: Project, experiment: str) -> None:
    again = mine.run(*SWEEP).stdout
    assert f"mixup.alpha = 0.4 ({experiment}), 1 (" in again
    assert "Experiment" not in again


def test_metrics_diff_is_short_and_on_request_whole(mine: Project, experiment: str) -> None:
    def diff(*words: str) -> dict[str, Any]:
        done = mine.run("dvc", "metrics", "diff", "--json", "HEAD", experiment, *words)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    changed = diff()
    assert set(changed) == {"metrics/headline.json"}
    assert len(changed["metrics/headline.json"]) <= 40
    on_request = ("metrics/summary.json", "metrics/claims.json")
    more = diff("--targets", *on_request)
    assert set(more) == set(on_request)
    for keys in (changed["metrics/headline.json"], more["metrics/summary.json"]):
        assert any(name.startswith("own.manifold.") for name in keys)
        assert not any(".baseline." in name for name in keys)


def test_page_shows_what_both_csv_files_say(mine: Project, experiment: str) -> None:
    assert experiment in mine.run("python", "../tools", "compare", "HEAD", experiment).stdout
    page = (mine.folder / "report/compare.html").read_text()
    assert page.count("<code>mixup.alpha</code>") == 1
    assert "The code is the same." in page
    for revision in ("HEAD", experiment):
        assert f'alt="methods_own of {revision}"' in page
    shown = cells(page)
    before, after = runs(mine, "HEAD"), runs(mine, experiment)
    assert shown.keys() == before.keys() == after.keys()
    differing = 0
    for key, (a, b, difference, low, high, finding) in shown.items():
        assert float(a) == pytest.approx(statistics.mean(before[key].values()), rel=2e-5)
        assert float(b) == pytest.approx(statistics.mean(after[key].values()), rel=2e-5)
        d = [after[key][seed] - before[key][seed] for seed in before[key]]
        assert float(difference) == pytest.approx(statistics.mean(d))
        if len(set(d)) > 1:
            half_width = QUANTILE * statistics.stdev(d) / 2**0.5
            assert float(low) == pytest.approx(statistics.mean(d) - half_width)
            assert float(high) == pytest.approx(statistics.mean(d) + half_width)
            differing += 1
        assert (finding == "same") == (not any(d))
    assert differing > 5
    assert all(finding == "same" for key, (*_, finding) in shown.items() if key[1] == "baseline")


def test_sweep_refuses_a_value_before_it_runs_another(
    mine: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mine.folder)
    done = completed("tools.sweep", "mixup.alpha", "0.4", "-1")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: mixup.alpha should be greater than or equal to 0.001, got"
    )
    assert done.stdout == ""


def test_an_experiment_that_is_applied_is_the_workspace(mine: Project, experiment: str) -> None:
    mine.run("dvc", "exp", "apply", experiment)
    assert mine.params()["mixup"]["alpha"] == 0.4
    assert runs(mine, experiment) != runs(mine, "HEAD")
    table = pd.read_csv(mine.folder / "metrics/runs.csv")
    values = runs(mine, experiment)["own", "manifold", "test_nll"]
    chosen = table.query("method == 'manifold' and metric == 'test_nll'")
    assert {
        str(seed): value for seed, value in zip(chosen["seed"], chosen["value"], strict=True)
    } == values
