"""The full study, made small, from its own dvc.yaml."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from playwright.sync_api import Browser

from study.params import read_params
from study.training.experiment import all_runs
from study.validation import read_study
from tests.pipeline.project import CODE, ROOT, Project, copy_from_project
from tests.study.report.conftest import Visit, choose

pytestmark = pytest.mark.slow

COPIED = (
    *("claims.yaml", "code.json", "dvc.yaml", "params.yaml"),
    *(".dvc/config", ".dvcignore", ".gitignore"),
)
LEFT_OUT = ("mnist_layers",)  # like spirals_layers
NEED_MORE_METHODS = {
    "hidden_spirals_2d_plain.png",
    *(f"intrusion_{name}.png" for name in ("mnist_12d", "spirals", "spirals_2d")),
}
INTRUDED = ("video", "mnist")  # have input mixup, whose blends may intrude
SEED = 100
PAIRED = "tensorflow_spirals"  # has two seeds, the others one
SWEPT = "spirals"  # has the study's alpha


def small(params: dict[str, Any]) -> dict[str, Any]:
    """Keep one seed and two or three methods of most experiments, and train them for a moment.

    The digits are those that need no download, which have no test set to share.
    """
    params["mnist"]["source"] = "bundled"
    params["spirals"]["arms"]["n_samples"] = 200
    params["mirrored_spirals"]["mirrored"]["points_per_class"] = 100
    params["seeds"] = [SEED]
    for name in LEFT_OUT:
        del params["experiments"][name]
    for name, experiment in params["experiments"].items():
        experiment["seeds"] = [SEED, SEED + 1] if name == PAIRED else [SEED]
        experiment["net"]["width"] = 16
        experiment["plain"] = experiment["plain"][:1]
        mixing = experiment["mixing"]
        wanted = ("input", "manifold") if name in INTRUDED else ("manifold",)
        experiment["mixing"] = [m for m in mixing if m in wanted] or mixing[:2]
        kept = (*experiment["plain"], *experiment["mixing"])
        # for each stage DVC reads the whole file
        experiment["methods"] = {name: experiment["methods"][name] for name in kept}
        length = {"steps": 20} if "steps" in experiment["training"] else {"epochs": 1}
        experiment["training"] |= length | {"decay_at": [], "evaluations": 1, "batch_size": 20}
        experiment["training"].pop("disjoint", None)
    params["states"] |= {"features": {"mnist": ["baseline", "input", "manifold"]}, "pairs": 20}
    params["robustness"]["attacks"] |= {"radii": [0.05], "pgd_steps": 2, "n_samples": 20}
    params["robustness"]["deformations"]["n_samples"] = 20
    return params


@pytest.fixture
def full(tmp_path: Path) -> Project:
    copy_from_project(tmp_path, *CODE)
    study = Project(tmp_path / "full")
    study.folder.mkdir()
    for name in COPIED:
        (study.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "full" / name, study.folder / name)
    # without the lock files of the committed runs, which DVC would read and rewrite for each run
    ignored = shutil.ignore_patterns("dvc.lock", *LEFT_OUT)
    shutil.copytree(ROOT / "full/experiments", study.folder / "experiments", ignore=ignored)
    study.write_params(small(study.params()))
    study.keep_claims()
    study.run("git", "init", "-q", "-b", "main", "..")
    return study


def leave_one_experiment(full: Project, name: str) -> None:
    """Take the others out, which DVC would read for each of its commands."""
    for folder in (full.folder / "experiments").iterdir():
        if folder.name != name:
            shutil.rmtree(folder)
    params = full.params()
    params["experiments"] = {name: params["experiments"][name]}
    for of_others in ("states", "robustness"):
        del params[of_others]
    full.write_params(params)
    full.keep_claims()


def test_runs_from_end_to_end(full: Project, browser: Browser) -> None:
    study = read_study(full.folder / "params.yaml")
    keys = all_runs(study.seeds, study.experiments)
    assert f"{len(keys)} runs to train" in full.run("dvc", "repro").stdout
    claims = pd.read_csv(full.folder / "metrics/claims.csv")
    assert set(claims["verdict"]) <= {"supported", "contradicted", "inconclusive"}
    assert len(claims) > 5
    drawn = {path.name for path in (full.folder / "figures").rglob("*.png")}
    committed = {path.name for path in (ROOT / "full/figures").rglob("*.png")}
    of_others = {name for name in committed if any(f"_{one}" in name for one in LEFT_OUT)}
    assert committed - drawn == NEED_MORE_METHODS | of_others
    assert drawn <= committed
    _page_shows_everything(full, claims, len(keys), browser)
    # A commit of two studies: this one is compared with itself, not with the one above it.
    above = full.folder.parent / "metrics"
    shutil.copytree(full.folder / "metrics", above)
    for name in ("runs.csv", "claims.csv"):
        header, *_ = (above / name).read_text().splitlines(keepends=True)
        (above / name).write_text(header)
    full.run("git", "add", "--all", "..")
    full.commit("results")
    assert "The results hold." in full.run("python", "../tools", "verify").stdout
    # Its digests are made anew each time, as DVC does not ignore what Python compiles above.
    assert full.run("dvc", "status").stdout.split() == ["code:", "always", "changed"]


def test_experiments_run_the_code_that_they_were_queued_with_and_share_what_they_train(
    full: Project,
) -> None:
    leave_one_experiment(full, SWEPT)
    full.run("git", "add", "--all", "..")
    full.commit("a study")
    for alpha in ("0.1", "8.0"):
        full.run("dvc", "exp", "run", "--queue", "-S", f"mixup.alpha={alpha}", "train_ahead")
    for file in ("stages/generate_spirals.py", "stages/code.py", "study/training/trainer.py"):
        (full.folder.parent / file).write_text("raise SystemExit(1)")
    states = full.run_queue(jobs=2)
    assert states.count("Success") == 2, states
    # in the folder of the study that they were made from, not in copies that are gone
    experiment = read_study(full.folder / "params.yaml").experiments[SWEPT]
    trained = len(experiment.plain) + 2 * len(experiment.mixing)
    assert len(list((full.folder / "ahead").glob("[!.]*"))) == trained
    assert not (full.folder / "runs").exists()


def test_experiments_are_of_one_form() -> None:
    forms = set()
    for name, experiment in read_params(ROOT / "full/params.yaml")["experiments"].items():
        form = (ROOT / "full/experiments" / name / "dvc.yaml").read_text()
        for before, after in (("of ", "."), ("experiments.", "."), ("runs/", "/"), ("train ", " ")):
            form = form.replace(f"{before}{name}{after}", f"{before}NAME{after}")
        forms.add(form.replace(f"data/{experiment['data']}.npz", "data/DATA.npz"))
    assert len(forms) == 1


def test_there_are_no_links_in_the_tree() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--stage"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not [line for line in listed.stdout.splitlines() if line.startswith("120000")]


def _page_shows_everything(
    full: Project, claims: pd.DataFrame, n_runs: int, browser: Browser
) -> None:
    """Look for every figure, claim, experiment and run on the page, each once."""
    assert full.run("git", "check-ignore", "report/index.html").stdout
    (out,) = full.lock()["stages"]["report"]["outs"]
    assert (out["path"], "md5" in out) == ("report/index.html", True)
    params = full.params()
    experiments = params["experiments"]
    with browser.new_context() as context:
        visit = Visit(context.new_page(), full.folder / "report/index.html")
        page = visit.show_all()

        def ids(selector: str, start: str) -> list[str]:
            found = page.locator(selector).evaluate_all("all => all.map(one => one.id)")
            return sorted(id.removeprefix(start) for id in found)

        figures = sorted(path.stem for path in (full.folder / "figures").rglob("*.png"))
        assert ids("figure[id]", "figure-") == figures
        assert page.locator("figure[id] img").count() == len(figures)
        assert ids(".claim", "claim-") == sorted(claims["id"])
        assert page.locator("#claims-table tbody th").all_inner_texts() == list(claims["id"])
        for selector, start in (("#figures h3", "figures-"), ("#runs > div", "runs-")):
            assert ids(selector, start) == sorted(experiments)
        chosen = page.get_by_role("combobox", name="Experiment")
        assert chosen.locator("option").all_inner_texts() == list(experiments)
        for name in experiments:
            choose(page, name)
            assert page.locator("#curves path.line").count() == 8
        runs = page.locator("tr[data-run] code").all_inner_texts()
        assert len(set(runs)) == len(runs) == n_runs
        assert all(command.startswith("cd full && dvc repro experiments/") for command in runs)
        page.locator("summary", has_text="params.yaml").click()
        assert yaml.safe_load(page.locator("#how pre").inner_text()) == params
        assert "no Git repository" in page.locator("#how").inner_text()  # nothing is committed
        assert visit.complaints == []
