"""Where a page comes from: commit, machine, package versions, and how long training took."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


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
