"""Where a page comes from: commit, machine, package versions, and how long training took."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mixup.study.paths import RUNS, run_folder
from mixup.study.training.config import RunKey

TIMINGS = Path("timings")


@dataclass(frozen=True)
class Provenance:
    """What was true when and where the page was built.

    ``commit`` is the one checked out, empty outside of Git; ``changed`` names the sources that
    differed from it.
    """

    commit: str
    changed: Sequence[str]
    machine: dict[str, str]
    versions: dict[str, str]


def provenance(sources: Sequence[str], packages: Iterable[str]) -> Provenance:
    """Ask Git, the machine and the environment.

    Args:
        sources: files and folders that results are made from; the first must be tracked by Git,
            or the folder counts as being outside of Git.
        packages: distributions whose versions are wanted; one that is not installed is left out.
    """
    tracked = _git("ls-files", "--error-unmatch", sources[0]) is not None
    commit = _git("rev-parse", "HEAD") if tracked else None
    changed = _git("status", "--porcelain", "--", *sources) if commit else None
    return Provenance(
        (commit or "").strip(),
        [line[3:] for line in (changed or "").splitlines()],
        {
            "processor": _processor(),
            "cores": str(os.cpu_count()),
            "system": f"{platform.system()} {platform.machine()}",
        },
        {"Python": platform.python_version(), **_versions(packages)},
    )


def training_seconds(
    keys: Iterable[RunKey], root: Path = RUNS, timings: Path = TIMINGS
) -> dict[RunKey, float]:
    """Read how long the runs took to train, of those that were trained in this folder.

    A run's own files are the same bytes whenever and wherever it is trained, so its time stands
    beside them, in timings/EXPERIMENT/METHOD/SEED.json, with the SHA-256 of the net that it
    belongs to. A run from DVC's cache has no time, or an older one that does not fit.

    Args:
        keys: the runs.
        root: where the run folders are.
        timings: where the times are.

    Returns:
        Seconds, for each run that has a time that fits.
    """
    seconds = {}
    for key in keys:
        try:
            file = timings / key.experiment / key.method / f"{key.seed}.json"
            timing = json.loads(file.read_text(encoding="utf-8"))
            net = (run_folder(key, root) / "model.safetensors").read_bytes()
            if timing["sha256"] == hashlib.sha256(net).hexdigest():
                seconds[key] = float(timing["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # no time is known: this is no input of the study
    return seconds


def _git(*arguments: str) -> str | None:
    command = ["git", "-c", "core.quotepath=off", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def _versions(packages: Iterable[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.processor() or platform.machine())
