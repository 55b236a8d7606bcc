"""Training ahead on a real Dask cluster on loopback: a scheduler and two worker processes."""

import json
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from distributed import Client

from study.errors import StudyError
from study.parallel.cluster import ClusterPool
from tests.certificates import certificate
from tests.pipeline.project import ROOT, Project, hashes
from tests.processes import PATIENCE, listens_at, started, wait_until

pytestmark = pytest.mark.slow

AHEAD = ("dvc", "repro", "train_ahead")
TRAIN = ("train_spirals_plain", "train_spirals_mixing")
LOOPBACK = ("--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0")


@contextmanager
def start(study: Project, *command: str) -> Iterator[subprocess.Popen[Any]]:
    """Run a command in a study's folder for as long as the block takes."""
    with (
        (study.folder.parent / "log").open("ab") as log,
        started(
            *command, cwd=study.folder, env=study.environment, stdout=log, stderr=log
        ) as process,
    ):
        yield process


def ahead(study: Project, scheduler: str, *variables: str) -> subprocess.CompletedProcess[str]:
    """Train ahead on a cluster."""
    return study.run("env", f"MIXUP_SCHEDULER={scheduler}", *variables, *AHEAD, check=False)


def last_error(done: subprocess.CompletedProcess[str]) -> str:
    """Give the line that says what went wrong, before DVC's own."""
    return next(line for line in done.stderr.splitlines() if line.startswith("error: "))


def dask(study: Project, *words: str) -> AbstractContextManager[subprocess.Popen[Any]]:
    """Start a part of a Dask cluster from a folder, as another machine would."""
    return start(study, sys.executable, "-m", "dask", *words)


@pytest.fixture
def scheduler(untrained: Project) -> Iterator[str]:
    where = untrained.folder.parent / "scheduler.json"
    options = (*LOOPBACK, "--port", "0", "--scheduler-file", str(where))
    with dask(untrained, "scheduler", *options):
        wait_until(lambda: where.is_file() and where.read_text().rstrip().endswith("}"))
        yield json.loads(where.read_text())["address"]


def worker(
    study: Project, scheduler: str, threads: int = 1
) -> AbstractContextManager[subprocess.Popen[Any]]:
    options = ("--nthreads", str(threads), "--no-nanny", *LOOPBACK)
    return dask(study, "worker", scheduler, *options)


def test_cluster_trains_the_same_bytes_though_a_worker_is_killed(
    untrained: Project, scheduler: str, tmp_path: Path
) -> None:
    untrained.turn("seeds", [0])
    untrained.train_slowly(steps=40)
    alone = untrained.copy(tmp_path / "alone")
    alone.repro(*TRAIN)
    with (
        worker(untrained, scheduler) as first,
        worker(untrained, scheduler),
        Client(scheduler, timeout=PATIENCE) as client,
    ):
        wait_until(lambda: len(client.nthreads()) == 2)
        with started(
            *("env", f"MIXUP_SCHEDULER={scheduler}", "dvc", "repro", *TRAIN),
            cwd=untrained.folder,
            env=untrained.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            wait_until(lambda: all(client.processing().values()), process)
            first.kill()
            output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "5 runs to train on 2 workers" in output
    assert hashes(untrained.folder / "runs") == hashes(alone.folder / "runs")
    assert untrained.lock() == alone.lock()


def documented(port: int) -> list[list[str]]:
    """Take the commands of a cluster from docs/parallel.md, for two workers and other ports."""
    text = (ROOT / "docs/parallel.md").read_text()
    (block,) = (part for part in re.findall("```sh\n(.*?)```", text, re.DOTALL) if "8786" in part)
    for old, new in (("8786", str(port)), ("8787", "0"), ("--nworkers 8", "--nworkers 2")):
        assert old in block
        block = block.replace(old, new)
    return [words for line in block.splitlines() if (words := shlex.split(line, comments=True))]


def test_documented_cluster_listens_on_loopback_only(untrained: Project) -> None:
    untrained.train_slowly()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    *parts, launch = documented(port)
    assert [part[:4] for part in parts] == [
        ["python", "-m", "dask", "scheduler"],
        ["python", "-m", "dask", "worker"],
    ]
    variable, *repro = launch
    assert repro == ["dvc", "repro"]
    name, _, address = variable.partition("=")
    assert name == "MIXUP_SCHEDULER"
    with (
        dask(untrained, *parts[0][3:]) as scheduler,
        dask(untrained, *parts[1][3:]) as workers,
        Client(address, timeout=PATIENCE) as client,
        start(untrained, "env", *launch) as launcher,
    ):
        wait_until(lambda: len(client.nthreads()) == 2, workers)
        wait_until(lambda: all(client.processing().values()), launcher)
        found = [listens_at(process) for process in (scheduler, workers, launcher)]
    # A port and a web server each, and the two nannies that watch the workers.
    assert found == [["127.0.0.1"] * 2, ["127.0.0.1"] * 6, []]


def tls(folder: Path) -> tuple[list[str], list[str]]:
    """Make a certificate; return Dask's options and the launcher's variables that name it."""
    folder.mkdir()
    certificate(folder)
    files = {"ca-file": "certificate.pem", "cert": "certificate.pem", "key": "key.pem"}
    prefix = "DASK_DISTRIBUTED__COMM__TLS__"
    names = {"ca-file": "CA_FILE", "cert": "CLIENT__CERT", "key": "CLIENT__KEY"}
    options = [word for what, file in files.items() for word in (f"--tls-{what}", folder / file)]
    variables = [f"{prefix}{names[what]}={folder / file}" for what, file in files.items()]
    return [str(word) for word in options], variables


def test_cluster_over_tls_takes_nobody_without_its_certificate(
    untrained: Project, tmp_path: Path
) -> None:
    untrained.keep_spirals()
    untrained.turn("seeds", [0])
    options, variables = tls(tmp_path / "ours")
    _, of_others = tls(tmp_path / "others")
    where = tmp_path / "scheduler.json"
    common = (*LOOPBACK, "--protocol", "tls", *options)
    scheduler = ("scheduler", "--port", "0", *common, "--scheduler-file", str(where))
    with dask(untrained, *scheduler):
        wait_until(lambda: where.is_file() and where.read_text().rstrip().endswith("}"))
        address = json.loads(where.read_text())["address"]
        assert address.startswith("tls://")

        with dask(untrained, "worker", address, "--nthreads", "1", "--no-nanny", *common):
            for stranger in ([], of_others):
                refused = ahead(untrained, address, *stranger)
                assert refused.returncode
                assert "no Dask scheduler answers at" in last_error(refused)
                assert not (untrained.folder / "ahead").exists()
            wait_until(lambda: "has no worker" not in ahead(untrained, address, *variables).stderr)
    assert len(list((untrained.folder / "ahead").glob("*/metrics.json"))) == 2


def test_scheduler_without_a_worker_of_one_thread_is_refused(
    untrained: Project, scheduler: str
) -> None:
    with pytest.raises(StudyError, match=f"{scheduler} has no worker: start `python -m dask worke"):
        ClusterPool(scheduler)
    with worker(untrained, scheduler, threads=2), Client(scheduler, timeout=PATIENCE) as client:
        wait_until(client.nthreads)
        with pytest.raises(StudyError, match="has a worker with several threads"):
            ClusterPool(scheduler)


def test_worker_with_other_code_is_refused(
    untrained: Project, scheduler: str, tmp_path: Path
) -> None:
    untrained.turn("seeds", [0])
    elsewhere = untrained.copy(tmp_path / "elsewhere")
    with (elsewhere.folder / "study/training/trainer.py").open("a") as file:
        file.write("X = 1\n")
    with worker(elsewhere, scheduler), Client(scheduler, timeout=PATIENCE) as client:
        wait_until(client.nthreads)
        done = ahead(untrained, scheduler)
    assert "other code" in done.stderr
    assert not (untrained.folder / "ahead").exists()
