"""The pipeline as DVC runs it: what each change makes it run again, and what it leaves alone."""

import json
import re
import shutil

import pytest

from tests.pipeline.project import Project, hashes, stages_run

pytestmark = pytest.mark.slow

NUMBERS = {"embed_bottleneck", "svd_analysis", "summarize", "claims"}
RUNS = {
    "train_spirals_plain@baseline",
    "train_spirals_mixing@manifold",
    "train_mnist_2d_plain@baseline",
    "train_mnist_2d_mixing@manifold",
    "train_mnist_12d_plain@baseline",
}


def runs_of(*seeds: int, only: str = "") -> set[str]:
    return {f"{run}-{seed}" for run in RUNS if only in run for seed in seeds}


def test_first_repro_writes_every_output(finished: Project) -> None:
    folder = finished.folder
    for run in ("spirals/baseline/0", "spirals/manifold/1", "mnist_2d/manifold/1"):
        names = {path.name for path in (folder / "runs" / run).iterdir()}
        files = {"config.json", "history.csv", "metrics.json", "model.safetensors", "SHA256SUMS"}
        assert names == files
    assert {path.name for path in (folder / "metrics").iterdir()} == {
        "claims.csv",
        "claims.json",
        "curves.csv",
        "embedding.csv",
        "flatness.csv",
        "headline.json",
        "ranks.csv",
        "runs.csv",
        "spectra.csv",
        "summary.csv",
        "summary.json",
        "wins.csv",
    }
    assert len(list((folder / "figures").rglob("*.png"))) >= 8
    summary = json.loads((folder / "metrics/summary.json").read_text())
    assert set(summary) == {"spirals", "mnist_2d", "mnist_12d"}
    assert set(summary["spirals"]) == {"baseline", "manifold"}


def test_git_sees_results_and_no_data(finished: Project) -> None:
    tracked = finished.run("git", "ls-files").stdout.split()
    assert "dvc.lock" in tracked
    assert "metrics/summary.json" in tracked
    assert not [name for name in tracked if name.startswith(("runs/", "data/", "embeddings/"))]
    assert finished.run("git", "status", "--porcelain").stdout == ""


def test_what_is_deleted_or_changed_comes_back_without_training(study: Project) -> None:
    assert study.repro() == set()
    before = {name: hashes(study.folder / name) for name in ("runs", "metrics", "figures")}
    for name in ("figures/spirals_data.png", "metrics/claims.json", "runs/spirals/manifold"):
        path = study.folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    outputs = {
        "metrics/runs.csv": "metrics/runs.csv",
        "metrics/summary.csv": "metrics/summary.csv",
        "runs/mnist_2d/manifold/1/metrics.json": "runs/mnist_2d/manifold/1",
    }
    for name in outputs:
        path = study.folder / name
        text = path.read_text()
        path.write_text(re.sub(r"\.\d", other_digit, text, count=1))
        assert path.read_text() != text
    told = study.run("dvc", "status").stdout
    for output in outputs.values():
        assert re.search(rf"modified: +{output}\n", told)
    assert not study.repro() & runs_of(0, 1)
    assert {name: hashes(study.folder / name) for name in before} == before
    assert "up to date" in study.run("dvc", "status").stdout


def other_digit(found: re.Match[str]) -> str:
    return f".{(int(found[0][1]) + 1) % 10}"


def test_less_of_the_study_and_another_seed_with_a_number_as_dvc_writes_it(study: Project) -> None:
    turned = (
        "seeds=[0,2]",
        "experiments.mnist_2d.training.learning_rate=1e-5",
        "experiments.spirals.mixing=[]",
        "experiments.mnist_12d.plain=[]",
        "experiments.mnist_12d.mixing=[]",
    )
    words = (word for text in turned for word in ("-S", text))
    # tests/stages/test_reductions.py draws and reports less
    ran = stages_run(study.run("dvc", "exp", "run", *words, *NUMBERS).stdout)
    other_rate = runs_of(0, 2, only="mnist_2d")
    assert {stage for stage in ran if "@" in stage} == other_rate | runs_of(2, only="spirals_plain")
    assert ran >= NUMBERS
    assert (study.folder / "runs/spirals/baseline/1").is_dir(), "that of a seed no longer asked for"
    assert "learning_rate: 1e-05" in (study.folder / "params.yaml").read_text()
    rows = (study.folder / "metrics/runs.csv").read_text().splitlines()[1:]
    assert {tuple(row.split(",")[:3]) for row in rows} == {
        *(("spirals", "baseline", seed) for seed in "02"),
        *(("mnist_2d", method, seed) for method in ("baseline", "manifold") for seed in "02"),
    }
    counts = json.loads((study.folder / "metrics/headline.json").read_text())["claims"]
    assert counts["not_asked"] > 0
    assert counts["inconclusive"] > 0
