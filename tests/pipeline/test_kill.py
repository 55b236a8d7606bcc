"""SIGKILL at any moment: nothing half is taken for whole, nothing recorded is lost, it goes on."""

import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml

from tests.pipeline.conftest import Project, hashes, stages_run, wait_until

pytestmark = pytest.mark.slow

LAUNCH = (sys.executable, "-m", "stages.launch", "--jobs", "2")
TRAIN = (sys.executable, "-m", "stages.train", "spirals", "manifold", "0")
REPRO = ("dvc", "repro")
FILES = {"config.json", "history.csv", "metrics.json", "model.safetensors"}


def killed(study: Project, command: tuple[str, ...], seconds: float) -> tuple[bool, str]:
    """Kill a command after so many seconds; tell whether it still ran, and what it printed."""
    log = study.folder.parent / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            cwd=study.folder,
            env=study.environment | {"PYTHONUNBUFFERED": "1"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode < 0, log.read_text()


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process runs: one that has ended may wait to be cleared away by its parent."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def recorded(study: Project) -> set[str]:
    """Name the runs that dvc.lock has, none if it is damaged."""
    try:
        stages = study.lock()["stages"]
        return {stage["cmd"].partition("stages.train ")[2] for stage in stages.values()} - {""}
    except (OSError, yaml.YAMLError, LookupError, TypeError, AttributeError):
        return set()


def trained(output: str) -> set[str]:
    """Name the runs that a launch or a repro trained."""
    by_repro = re.findall(r"^> python -m stages\.train (.+)$", output, flags=re.MULTILINE)
    by_launch = re.findall(r"^(\w+ \w+ \d+): [\d.]+ s$", output, flags=re.MULTILINE)
    return {*by_repro, *by_launch}


def check_files(study: Project, whole: dict[str, str]) -> None:
    """Check that whatever has its final name is whole."""
    runs = study.folder / "runs"
    for name, digest in hashes(runs).items():
        if ".tmp" not in name:
            assert digest == whole[name], f"half of {name} was left"
    for folder in runs.glob("*/*/[0-9]*"):
        assert {path.name for path in folder.iterdir()} >= FILES, f"half of {folder} was left"


def check_end(study: Project, finished: Project) -> None:
    """Check that a study is, byte for byte, like one that was never disturbed."""
    for folder in ("runs", "metrics", "figures", "data"):
        assert hashes(study.folder / folder) == hashes(finished.folder / folder)
    mine, theirs = (
        {name: stage for name, stage in project.lock()["stages"].items() if name != "report"}
        for project in (study, finished)  # the report tells how long the runs took
    )
    assert mine == theirs
    assert not list(study.folder.rglob(".*-*.tmp"))


@pytest.mark.parametrize(
    ("command", "kills", "longest"), [(LAUNCH, 20, 8.0), (REPRO, 20, 8.0)], ids=["launch", "repro"]
)
def test_study_survives_kills(
    command: tuple[str, ...],
    kills: int,
    longest: float,
    new_study: Project,
    finished: Project,
    tmp_path: Path,
) -> None:
    whole = hashes(finished.folder / "runs")
    rng = random.Random(len(command))
    untouched = new_study.copy(tmp_path / "untouched")
    safe: set[str] = set()
    # Evenly spread, in random order: early and late moments both come about.
    delays = [longest * (i + rng.random()) / kills for i in range(kills)]
    rng.shuffle(delays)
    while delays:
        was_killed, output = killed(new_study, command, delays[-1])
        check_files(new_study, whole)
        assert not trained(output) & safe
        if was_killed:
            delays.pop()
            safe |= recorded(new_study)
        elif "dvc.lock" in output and "error" in output.lower():
            new_study.run(*LAUNCH)  # mends what `dvc repro` refuses
        else:
            shutil.rmtree(new_study.folder)
            untouched.copy(new_study.folder)
            safe.clear()
    launched = new_study.run(*LAUNCH).stdout
    assert not trained(launched) & safe
    assert not [stage for stage in new_study.repro() if stage.startswith("train")]
    check_end(new_study, finished)


def test_training_survives_kills(study: Project, finished: Project) -> None:
    whole = hashes(finished.folder / "runs")
    rng = random.Random(0)
    kills = 0
    for i in range(20):
        was_killed, _ = killed(study, TRAIN, 0.1 + 0.12 * (i + rng.random()))
        kills += was_killed
        check_files(study, whole)
    assert kills >= 10
    study.run(*TRAIN)
    assert "every run is up to date" in study.run(*LAUNCH).stdout
    study.repro()
    check_end(study, finished)


@pytest.mark.parametrize("shell", ["bash", "sh"])  # one becomes the stage, the other may wait
def test_stage_ends_with_the_dvc_that_started_it(shell: str, new_study: Project) -> None:
    executable = shutil.which(shell)
    if not executable:
        pytest.skip(f"there is no {shell} here")
    new_study.turn("experiments.spirals.training.steps", 10_000_000)
    new_study.repro("generate_spirals")
    log = new_study.folder / "checkpoints/spirals/baseline/0"
    process = subprocess.Popen(
        ("dvc", "repro", "train_spirals_plain@baseline-0"),
        cwd=new_study.folder,
        env=new_study.environment | {"MIXUP_CHECKPOINT_SECONDS": "0", "SHELL": executable},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(log.exists)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    wait_until(lambda: not any(map(is_alive, children)))


@pytest.mark.parametrize("part", [0.0, 0.13, 0.37, 0.61, 0.89, 0.999])
def test_lock_file_cut_off_costs_no_run(part: float, study: Project, finished: Project) -> None:
    path = study.folder / "dvc.lock"
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    assert not trained(study.run(*LAUNCH).stdout)
    assert not [stage for stage in study.repro() if stage.startswith("train")]
    check_end(study, finished)


def test_launch_mends_what_dvc_leaves(study: Project, finished: Project) -> None:
    (study.folder / ".dvc/tmp/rwlock").write_text('{"write": {"/runs/spi')
    for place in ("runs/spirals/baseline/.0-x.tmp", "metrics/.runs.csv-x.tmp", ".embeddings-x.tmp"):
        (study.folder / place).mkdir()
        (study.folder / place / "half").write_text("half")
    (study.folder / "data/.x.tmp").write_text("half")
    entry = next((study.folder / ".dvc/cache").rglob("runs/*/*"))
    (entry / ".x-y.tmp").write_text("cmd: half")
    assert study.run("git", "status", "--porcelain").stdout == ""
    assert stages_run(study.run("dvc", "status", check=False).stdout) == set()
    assert "every run is up to date" in study.run(*LAUNCH).stdout
    assert study.repro() == set()
    check_end(study, finished)
