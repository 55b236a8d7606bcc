"""The launcher on a real tiny study: what it trains, what it records, and what it survives."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.pipeline.conftest import PATIENCE, Project, hashes, wait_until

pytestmark = pytest.mark.slow

LAUNCH = (sys.executable, "-m", "stages.launch", "--jobs", "2")


def launch(study: Project, *arguments: str, check: bool = True) -> str:
    done = study.run(*LAUNCH, *arguments, check=check)
    return done.stdout + done.stderr


def start(study: Project) -> subprocess.Popen[str]:
    return subprocess.Popen(
        LAUNCH,
        cwd=study.folder,
        env=study.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def workers(launcher: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(launcher.pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def trained(output: str) -> list[str]:
    """Read from the launcher's output which runs it trained."""
    return sorted(line.split(":")[0] for line in output.splitlines() if line.endswith(" s"))


@pytest.fixture
def long_study(new_study: Project) -> Project:
    """Make a study of five runs, of which the two of the spirals do not end by themselves."""
    new_study.turn("seeds", [0])
    new_study.turn("experiments.spirals.training.steps", 10_000_000)
    return new_study


SHORT_RUNS = ("mnist_2d/baseline/0", "mnist_2d/manifold/0", "mnist_12d/baseline/0")


def short_runs_are_there(study: Project) -> bool:
    return all((study.folder / "runs" / run).is_dir() for run in SHORT_RUNS)


def test_launch_trains_what_dvc_repro_would_to_the_same_bytes(
    new_study: Project, finished: Project
) -> None:
    assert len(trained(launch(new_study))) == 10
    ran = new_study.repro()
    assert not [stage for stage in ran if stage.startswith("train")]
    assert "report" in ran
    for folder in ("runs", "metrics", "figures"):
        assert hashes(new_study.folder / folder) == hashes(finished.folder / folder)
    mine, theirs = new_study.lock()["stages"], finished.lock()["stages"]
    assert {k: v for k, v in mine.items() if k != "report"} == {
        k: v
        for k, v in theirs.items()
        if k != "report"  # it tells how long the runs took
    }
    assert "every run is up to date" in launch(new_study)


def test_launch_trains_only_what_a_change_makes_stale(study: Project) -> None:
    study.turn("mixup.alpha", 0.4)
    assert trained(launch(study)) == [
        *("mnist_2d manifold 0", "mnist_2d manifold 1"),
        *("spirals manifold 0", "spirals manifold 1"),
    ]
    study.turn("mixup.alpha", 2.0)
    assert trained(launch(study)) == []  # DVC's run cache has them
    assert not [stage for stage in study.repro() if stage.startswith("train")]


def test_launch_takes_missing_runs_from_the_cache(study: Project) -> None:
    before = hashes(study.folder / "runs")
    for path in (study.folder / "runs/spirals/manifold").rglob("*"):
        if path.is_file():
            path.unlink()
    assert trained(launch(study)) == []
    assert hashes(study.folder / "runs") == before


def test_a_run_that_fails_fails_alone(study: Project) -> None:
    study.turn("experiments.spirals.training.learning_rate", 1e30)
    study.turn("experiments.mnist_2d.training.learning_rate", 0.01)
    done = study.run(*LAUNCH, check=False)
    assert done.returncode == 1
    assert "FAILED spirals baseline 0: loss is" in done.stderr
    assert "dvc repro train_spirals_mixing@manifold-1" in done.stderr
    assert done.stderr.rstrip().splitlines()[-1].startswith("error: 4 of the runs failed")
    assert len(trained(done.stdout)) == 4
    study.turn("experiments.spirals.training.learning_rate", 0.002)
    assert [run.split()[0] for run in trained(launch(study))] == ["spirals"] * 4


def test_workers_that_are_killed_take_only_their_runs_with_them(long_study: Project) -> None:
    launcher = start(long_study)
    wait_until(lambda: len(workers(launcher)) == 2)
    workers(launcher)[0].kill()
    wait_until(lambda: short_runs_are_there(long_study))
    for worker in workers(launcher):
        worker.kill()
    output, _ = launcher.communicate(timeout=PATIENCE)
    assert launcher.returncode == 1
    assert output.count("FAILED spirals") == 2
    assert "the worker died" in output
    assert len(trained(output)) == 3
    long_study.turn("experiments.spirals.training.steps", 20)
    assert trained(launch(long_study)) == ["spirals baseline 0", "spirals manifold 0"]


def test_interrupt_ends_workers_and_leaves_what_is_finished_recorded(long_study: Project) -> None:
    long_study.turn("experiments.spirals.mixing", [])
    launcher = start(long_study)
    wait_until(lambda: short_runs_are_there(long_study))
    second = long_study.run(*LAUNCH, check=False)
    assert second.returncode == 1
    assert second.stderr.splitlines()[-1].startswith("error: another launch is under way")
    under_way = workers(launcher)
    assert under_way
    launcher.send_signal(signal.SIGINT)
    output, _ = launcher.communicate(timeout=PATIENCE)
    assert launcher.returncode == 130
    assert "Traceback" not in output
    assert not any(worker.is_running() for worker in under_way)
    folders = [path for path in (long_study.folder / "runs").glob("*/*/*") if path.is_dir()]
    assert len(folders) == 3
    long_study.turn("experiments.spirals.training.steps", 20)
    assert trained(launch(long_study)) == ["spirals baseline 0"]


def test_workers_end_with_a_launcher_that_is_killed(long_study: Project) -> None:
    launcher = start(long_study)
    wait_until(lambda: len(workers(launcher)) == 2)
    orphans = workers(launcher)
    launcher.kill()
    launcher.communicate()
    wait_until(lambda: not any(worker.is_running() for worker in orphans))
    long_study.turn("experiments.spirals.training.steps", 20)
    assert len(trained(launch(long_study))) == 5


def test_a_second_machine_skips_what_the_first_has_trained(
    new_study: Project, tmp_path: Path
) -> None:
    new_study.run("dvc", "remote", "add", "--default", "team", str(tmp_path / "remote"))
    launch(new_study)
    new_study.repro()
    new_study.commit("results")
    new_study.run("dvc", "push", "--run-cache")
    second = Project(tmp_path / "elsewhere" / "study")
    second.folder.parent.mkdir()
    new_study.run("git", "clone", "-q", str(new_study.folder), str(second.folder))
    second.run("dvc", "pull", "--run-cache")
    assert trained(launch(second)) == []
    second.turn("seeds", [0])
    second.turn("seeds", [0, 1])
    assert second.repro() == set()


def test_cohort_is_recorded_and_agrees_with_runs_alone(
    new_study: Project, finished: Project
) -> None:
    assert len(trained(launch(new_study, "--cohort", "spirals"))) == 10
    assert not [stage for stage in new_study.repro() if stage.startswith("train")]
    for run in ("baseline/0", "baseline/1", "manifold/0", "manifold/1"):
        mine, theirs = (project.folder / "runs/spirals" / run for project in (new_study, finished))
        config = json.loads((mine / "config.json").read_text())
        alone = json.loads((theirs / "config.json").read_text())
        assert config == alone | {"cohort": 2}
        for (name, its), (_, other) in zip(
            *(json.loads((f / "metrics.json").read_text()).items() for f in (mine, theirs)),
            strict=True,
        ):
            assert its == pytest.approx(other, rel=1e-4, abs=1e-4), name


def test_cohort_of_an_unknown_experiment_is_refused(study: Project) -> None:
    study.turn("mixup.alpha", 0.4)
    done = study.run(*LAUNCH, "--cohort", "spiral", check=False)
    assert done.returncode == 1
    assert "there is no experiment 'spiral'" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("jobs", ["0", "-1", "two"])
def test_jobs_must_be_a_number_above_0(jobs: str, untouched: Project) -> None:
    done = untouched.run(sys.executable, "-m", "stages.launch", "--jobs", jobs, check=False)
    assert done.returncode == 2
    assert "--jobs" in done.stderr
