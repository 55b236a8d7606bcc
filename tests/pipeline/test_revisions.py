"""Real experiments, run from DVC's queue and compared on one page."""

import csv
import io
import json
import statistics
from typing import Any

import pytest

from tests.commands import completed
from tests.pipeline.conftest import Project, hashes

pytestmark = pytest.mark.slow

QUANTILE = 12.706204736  # Student's t, 97.5 %, one degree of freedom: two seeds

Runs = dict[tuple[str, str, str], dict[str, float]]


@pytest.fixture(scope="module")
def swept(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Run a sweep of alpha as a user does: HEAD has 2.0, the queue 0.1 and 8.0."""
    project = finished.copy(tmp_path_factory.mktemp("swept") / "study")
    # only what is compared below is made, the numbers
    for alpha in ("0.1", "8.0"):
        project.run("dvc", "exp", "run", "--queue", "-S", f"mixup.alpha={alpha}", "claims")
    # Experiments run the code that they were queued with, in copies of their own.
    trainer = project.folder / "study/training/trainer.py"
    code = trainer.read_text()
    trainer.write_text("raise SystemExit(1)")
    states = project.run_queue(jobs=2)
    assert states.count("Success") == 2, states
    trainer.write_text(code)
    return project


@pytest.fixture(scope="module")
def names(swept: Project) -> dict[float, str]:
    """Ask `dvc exp show` which experiment has which alpha."""
    (_, head) = json.loads(swept.run("dvc", "exp", "show", "--json").stdout)
    found = {}
    for experiment in head["experiments"]:
        (revision,) = experiment["revs"]
        alpha = revision["data"]["params"]["params.yaml"]["data"]["mixup"]["alpha"]
        found[alpha] = experiment["name"]
    return found


def runs(project: Project, revision: str) -> Runs:
    """Read a revision's metrics/runs.csv from Git, without the code under test."""
    commit = revision
    if revision != "HEAD":
        refs = project.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").stdout
        (commit,) = [ref for ref in refs.split() if ref.endswith(f"/{revision}")]
    text = project.run("git", "show", f"{commit}:metrics/runs.csv").stdout
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


def test_experiments_share_the_cores_and_leave_the_workspace_alone(
    swept: Project, finished: Project
) -> None:
    # Their runs were trained ahead in the folder of the study that they were made from: for each
    # those of two seeds and two experiments that mix, and no other.
    assert len(list((swept.folder / "ahead").glob("[!.]*"))) == 8
    assert hashes(swept.folder / "runs") == hashes(finished.folder / "runs")


def test_metrics_diff_is_short_and_on_request_whole(
    swept: Project, names: dict[float, str]
) -> None:
    def diff(*words: str) -> dict[str, Any]:
        done = swept.run("dvc", "metrics", "diff", "--json", "HEAD", names[0.1], *words)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    changed = diff()
    assert set(changed) == {"metrics/headline.json"}
    assert len(changed["metrics/headline.json"]) <= 40
    on_request = ("metrics/summary.json", "metrics/claims.json")
    more = diff("--targets", *on_request)
    assert set(more) == set(on_request)
    for keys in (changed["metrics/headline.json"], more["metrics/summary.json"]):
        assert any(name.startswith("spirals.manifold.") for name in keys)
        assert not any(".baseline." in name for name in keys)


def test_page_shows_what_both_csv_files_say(swept: Project, names: dict[float, str]) -> None:
    name = names[0.1]
    done = swept.run("python", "-m", "tools.compare", "HEAD", name)
    assert name in done.stdout
    shown = cells((swept.folder / "report/compare.html").read_text())
    before, after = runs(swept, "HEAD"), runs(swept, name)
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


def test_page_names_the_parameter(swept: Project, names: dict[float, str]) -> None:
    swept.run("python", "-m", "tools.compare", "HEAD", names[8.0])
    page = (swept.folder / "report/compare.html").read_text()
    assert page.count("<code>mixup.alpha</code>") == 1
    assert "The code is the same." in page


def test_sweep_refuses_a_value_before_it_runs_another(
    swept: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(swept.folder)
    done = completed("tools.sweep", "mixup.alpha", "0.4", "-1")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: mixup.alpha should be greater than or equal to 0.001, got"
    )
    assert done.stdout == ""
