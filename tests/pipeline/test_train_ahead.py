"""Training on all cores inside DVC, on a real tiny study: what it trains, and what it survives."""

import shutil
import signal
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.pipeline.project import Project, hashes, stages_run, trained_ahead
from tests.processes import (
    descendants,
    is_alive,
    listens_at,
    parent_id,
    started,
    wait_until,
    words,
)

pytestmark = pytest.mark.slow

SHORT_RUNS = 3
TRAIN = (
    *("train_spirals_plain", "train_spirals_mixing", "train_mnist_2d_plain"),
    *("train_mnist_2d_mixing", "train_mnist_12d_plain"),
)


def repro(study: Project, *words: str) -> AbstractContextManager[subprocess.Popen[Any]]:
    """Start `dvc repro` and go on."""
    return started(
        *("dvc", "repro", *words),
        cwd=study.folder,
        env=study.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def workers(process: subprocess.Popen[Any]) -> list[psutil.Process]:
    """List the workers: processes of their own, or forked from one that is there to fork."""
    found = {one: " ".join(words(one)) for one in descendants(process)}
    servers = [one.pid for one, said in found.items() if "forkserver" in said]
    return [one for one, said in found.items() if "spawn_main" in said or parent_id(one) in servers]


def kept(study: Project) -> list[str]:
    """List the runs that wait for their stages."""
    return [path.name for path in (study.folder / "ahead").glob("[!.]*")]


@pytest.fixture
def long_study(untrained: Project) -> Project:
    """Make a study of five runs, of which the two of the spirals do not end by themselves."""
    untrained.turn("seeds", [0])
    untrained.train_slowly()
    return untrained


def test_one_run_alone_has_the_bytes_of_one_trained_ahead(study: Project) -> None:
    before = hashes(study.folder / "runs")
    for name in ("runs", ".dvc/cache"):
        shutil.rmtree(study.folder / name)
    alone = "train_mnist_2d_mixing@manifold-1"
    assert study.repro("-s", alone) == {alone}
    mine = hashes(study.folder / "runs")
    assert len(mine) == 5
    assert mine == {name: before[name] for name in mine}
    assert not (study.folder / "ahead").exists()


def test_repro_trains_only_what_a_change_makes_stale(study: Project, tmp_path: Path) -> None:
    study.keep_spirals()
    study.turn("seeds", [0])
    study.turn("mixup.alpha", 0.4)
    output = study.run("dvc", "repro", "train_ahead").stdout
    assert trained_ahead(output) == ["spirals manifold 0"]
    damaged = study.copy(tmp_path / "damaged")
    study.turn("mixup.alpha", 2.0)
    output = study.run("dvc", "repro", *TRAIN).stdout
    assert trained_ahead(output) == []  # dvc.lock has it
    assert stages_run(output) <= {"validate", "train_ahead"}
    assert len(kept(study)) == 1, "that of the other alpha stays for a day"
    a_run_kept_damaged_is_trained_again(damaged)


def a_run_kept_damaged_is_trained_again(study: Project) -> None:
    """Damage what waits for its stage: that notices it, and trains the same bytes."""
    (name,) = kept(study)
    folder = study.folder / "ahead" / name
    whole = hashes(folder)
    (folder / "metrics.json").write_text("{}")
    study.repro(*TRAIN)
    assert hashes(study.folder / "runs/spirals/manifold/0") == whole


def test_a_run_that_no_stage_would_train_is_named(untrained: Project) -> None:
    untrained.turn("experiments.spirals.seeds", [0, 7])
    done = untrained.run("dvc", "repro", "train_ahead", check=False)
    assert done.returncode
    assert "no stage of dvc.yaml trains spirals baseline 7" in done.stderr
    assert not (untrained.folder / "ahead").exists()


def test_a_run_that_fails_fails_alone(study: Project) -> None:
    study.turn("seeds", [1])
    study.turn("experiments.spirals.mixing", [])
    study.turn("experiments.mnist_2d.mixing", [])
    study.turn("experiments.spirals.training.learning_rate", 1e30)
    study.turn("experiments.mnist_2d.training.learning_rate", 0.01)
    targets = ("train_spirals_plain", "train_mnist_2d_plain")
    done = study.run("dvc", "repro", "--keep-going", *targets, check=False)
    assert done.returncode
    assert "FAILED spirals baseline 1: loss is" in done.stderr
    assert "dvc repro -s train_spirals_plain@baseline-1" in done.stderr
    assert "1 of the runs failed" in done.stderr
    assert trained_ahead(done.stdout) == ["mnist_2d baseline 1"]
    assert "train_mnist_2d_plain@baseline-1" in stages_run(done.stdout)
    study.turn("experiments.spirals.training.learning_rate", 0.002)
    output = study.run("dvc", "repro", *targets).stdout
    assert trained_ahead(output) == ["spirals baseline 1"]


def test_workers_that_are_killed_take_only_their_runs_with_them(long_study: Project) -> None:
    with repro(long_study, "train_ahead") as process:
        wait_until(lambda: len(workers(process)) == 2, process)
        workers(process)[0].kill()
        wait_until(lambda: len(kept(long_study)) == SHORT_RUNS, process)
        wait_until(lambda: len(workers(process)) >= 1, process)
        while process.poll() is None:
            for worker in workers(process):
                if is_alive(worker):
                    worker.kill()
            time.sleep(0.1)  # a look costs as much as some training
        output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "FAILED spirals" in output
    assert "the worker died" in output
    assert len(trained_ahead(output)) == SHORT_RUNS


def test_interrupt_ends_workers_and_loses_nothing_that_is_finished(long_study: Project) -> None:
    long_study.turn("experiments.spirals.mixing", [])
    with repro(long_study, *TRAIN) as process:
        wait_until(lambda: len(kept(long_study)) == SHORT_RUNS, process)
        second = long_study.run("dvc", "repro", check=False)
        assert second.returncode
        assert "is busy, it is being blocked by" in second.stderr
        under_way = workers(process)
        assert under_way
        for one in (*descendants(process), psutil.Process(process.pid)):  # as a terminal does
            one.send_signal(signal.SIGINT)
        output, _ = process.communicate()
    assert process.returncode
    assert "Traceback" not in output
    assert not any(map(is_alive, under_way))
    assert len(kept(long_study)) == SHORT_RUNS
    long_study.turn("experiments.spirals.training.steps", 20)
    output = long_study.run("dvc", "repro", *TRAIN).stdout
    assert trained_ahead(output) == ["spirals baseline 0"]
    assert len(list((long_study.folder / "runs").glob("*/*/0/metrics.json"))) == SHORT_RUNS + 1


def test_workers_listen_nowhere_and_end_with_a_dvc_that_is_killed(long_study: Project) -> None:
    with repro(long_study) as process:
        wait_until(lambda: len(workers(process)) == 2, process)
        orphans = descendants(process)
        assert len(orphans) > 2  # the workers and what started them
        assert listens_at(process) == []
        process.kill()
        wait_until(lambda: not any(map(is_alive, orphans)))


def test_a_second_machine_skips_what_the_first_has_trained(study: Project, tmp_path: Path) -> None:
    study.run("dvc", "remote", "add", "--default", "team", str(tmp_path / "remote"))
    study.commit("a remote")
    study.run("dvc", "push", "--run-cache")
    second = Project(tmp_path / "elsewhere" / "study")
    second.folder.parent.mkdir()
    study.run("git", "clone", "-q", str(study.folder), str(second.folder))
    second.run("dvc", "pull", "--run-cache")
    assert second.repro() == set()
    second.turn("seeds", [0])
    assert trained_ahead(second.run("dvc", "repro", "train_ahead").stdout) == []
