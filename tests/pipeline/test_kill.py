"""SIGKILL at any moment: nothing half is taken for whole, nothing recorded is lost, it goes on."""

import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.pipeline.project import Project, hashes, stages_run
from tests.processes import descendants, is_alive, started, wait_until, words

pytestmark = pytest.mark.slow

MEND = (sys.executable, "-m", "tools.mend")
TRAIN = (sys.executable, "-m", "stages.train", "spirals", "manifold", "0")
TARGET = "svd_analysis"  # which needs all runs, and takes a third as long as the whole study
REPRO = ("dvc", "repro", TARGET)
KILLS, LONGEST = 2, 10.0  # seconds
FILES = {"config.json", "history.csv", "metrics.json", "model.safetensors"}


def killed(study: Project, command: tuple[str, ...], seconds: float) -> tuple[bool, str]:
    """Kill a command after so many seconds; tell whether it still ran, and what it printed."""
    log = study.folder.parent / "log"
    environment = study.environment | {"PYTHONUNBUFFERED": "1"}
    with (
        log.open("w") as file,
        started(
            *command, cwd=study.folder, env=environment, stdout=file, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode < 0, log.read_text()


def recorded(study: Project) -> set[str]:
    """Name the runs that dvc.lock has, none if it is damaged."""
    try:
        stages = study.lock()["stages"]
        return {stage["cmd"].partition("stages.train ")[2] for stage in stages.values()} - {""}
    except (OSError, yaml.YAMLError, LookupError, TypeError, AttributeError):
        return set()


def trained(output: str) -> set[str]:
    """Name the runs that were trained ahead."""
    return set(re.findall(r"^(\w+ \w+ \d+): [\d.]+ s$", output, flags=re.MULTILINE))


def check_files(study: Project, whole: dict[str, str]) -> None:
    """Check that whatever has its final name is whole."""
    runs = study.folder / "runs"
    for name, digest in hashes(runs).items():
        if ".tmp" not in name:
            assert digest == whole[name], f"half of {name} was left"
    for folder in runs.glob("*/*/[0-9]*"):
        assert {path.name for path in folder.iterdir()} >= FILES, f"half of {folder} was left"


def check_end(study: Project, finished: Project, target: str | None = None) -> None:
    """Check that a study is, byte for byte, like one that was never disturbed.

    Args:
        target: the stage that was asked for, which needs all runs; the whole study without one.
    """
    for folder in ("runs", "data", "metrics", "figures"):
        made, whole = (hashes(project.folder / folder).items() for project in (study, finished))
        is_part = target and folder in ("metrics", "figures")
        assert made <= whole if is_part else made == whole
    mine, theirs = (
        {name: stage for name, stage in project.lock()["stages"].items() if name != "report"}
        for project in (study, finished)  # the report tells how long the runs took
    )
    if target:
        asked = {name for name in theirs if "@" in name or name == target}
        assert asked <= mine.keys()
        theirs = {name: stage for name, stage in theirs.items() if name in mine}
    assert mine == theirs
    assert not list(study.folder.rglob(".*-*.tmp"))


def test_study_survives_kills(new_study: Project, finished: Project, tmp_path: Path) -> None:
    whole = hashes(finished.folder / "runs")
    rng = random.Random(0)
    untouched = new_study.copy(tmp_path / "untouched")
    safe: set[str] = set()
    # Evenly spread, in random order: early and late moments both come about.
    delays = [LONGEST * (i + rng.random()) / KILLS for i in range(KILLS)]
    rng.shuffle(delays)
    while delays:
        was_killed, output = killed(new_study, REPRO, delays[-1])
        check_files(new_study, whole)
        assert not trained(output) & safe
        if was_killed:
            delays.pop()
            safe |= recorded(new_study) | trained(output)
        elif "dvc.lock" in output and "error" in output.lower():
            new_study.run(*MEND)
        else:
            shutil.rmtree(new_study.folder)
            untouched.copy(new_study.folder)
            safe.clear()
    new_study.run(*MEND)
    assert not trained(new_study.run(*REPRO).stdout) & safe
    check_end(new_study, finished, TARGET)


def test_training_survives_kills(study: Project, finished: Project) -> None:
    whole = hashes(finished.folder / "runs")
    rng = random.Random(0)
    kills = 0
    for i in range(4):
        was_killed, _ = killed(study, TRAIN, 0.1 + 0.6 * (i + rng.random()))
        kills += was_killed
        check_files(study, whole)
    assert kills
    study.run(*TRAIN)
    assert study.repro() == set()
    check_end(study, finished)


@pytest.mark.parametrize("shell", ["bash", "sh"])  # one becomes the stage, the other may wait
def test_stage_ends_with_the_dvc_that_started_it(shell: str, untrained: Project) -> None:
    executable = shutil.which(shell)
    if not executable:
        pytest.skip(f"there is no {shell} here")
    untrained.train_slowly()
    (untrained.folder / "data/trained_ahead").touch()  # nothing was
    log = untrained.folder / "checkpoints/spirals/baseline/0"
    environment = untrained.environment | {"MIXUP_CHECKPOINT_SECONDS": "0", "SHELL": executable}
    with started(
        *("dvc", "repro", "-s", "train_spirals_plain@baseline-0"),
        cwd=untrained.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_until(log.exists, process)
        children = descendants(process)
        assert any("stages.train" in words(child) for child in children)
        process.kill()
        process.wait()
        wait_until(lambda: not any(map(is_alive, children)))


@pytest.mark.parametrize(("part", "target"), [(0.0, "svd_analysis"), (0.61, "claims")])
def test_lock_file_cut_off_costs_no_run(
    part: float, target: str, study: Project, finished: Project
) -> None:
    path = study.folder / "dvc.lock"
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    study.run(*MEND)
    output = study.run("dvc", "repro", target).stdout
    assert not trained(output), "DVC's run cache has them"
    assert not [stage for stage in stages_run(output) if "@" in stage]
    check_end(study, finished, target)


def test_what_kills_leave_goes_by_itself_or_with_mend(study: Project) -> None:
    dead = 2**22 - 1  # no process has it
    for place in (f"runs/spirals/manifold/.0-{dead}-x.tmp", f"metrics/.runs.csv-{dead}-x.tmp"):
        (study.folder / place).mkdir()
        (study.folder / place / "half").write_text("half")
    entry = next((study.folder / ".dvc/cache").rglob("runs/*/*"))
    (entry / ".x-y.tmp").write_text("cmd: half")
    assert study.run("git", "status", "--porcelain").stdout == ""
    (study.folder / ".dvc/tmp/rwlock").write_text('{"write": {"/runs/spi')
    assert study.run("dvc", "repro", check=False).returncode
    assert "rwlock was damaged" in study.run(*MEND).stdout
    assert (study.folder / ".dvc/tmp/damaged-rwlock").read_text() == '{"write": {"/runs/spi'
    assert study.run(*MEND).stdout == "all is well\n"
    assert study.repro() == set()
    again = ("train_spirals_mixing@manifold-0", "summarize")
    assert study.repro("--force", "--single-item", *again) == set(again)
    assert not list((study.folder / "runs").rglob(".*.tmp"))
    assert not list((study.folder / "metrics").rglob(".*.tmp"))
