"""How long runs took, beside DVC's outputs: a run's own files are the same each time."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from study.files import write_text
from study.paths import RUNS, TIMINGS, WEIGHTS, RunKey, run_folder


def keep_time(key: RunKey, seconds: float, net: bytes, timings: Path = TIMINGS) -> None:
    """Note how long a run took, with the SHA-256 of the net that it left.

    Args:
        key: the run.
        seconds: wall time of its training, of the last part if it was interrupted; in a cohort its
            share.
        net: its model.safetensors.
        timings: gets EXPERIMENT/METHOD/SEED.json.
    """
    timing = {"seconds": round(seconds, 1), "sha256": hashlib.sha256(net).hexdigest()}
    write_text(_file(key, timings), json.dumps(timing) + "\n")


def training_seconds(
    keys: Iterable[RunKey], root: Path = RUNS, timings: Path = TIMINGS
) -> dict[RunKey, float]:
    """Read how long the runs took to train, of those that were trained in this folder.

    A run from DVC's cache has no time, or an older one, of another net.

    Args:
        keys: the runs.
        root: where the run folders are.
        timings: where `keep_time` put the times.

    Returns:
        Seconds, for each run that has a time that is of its net.
    """
    seconds = {}
    for key in keys:
        try:
            timing = json.loads(_file(key, timings).read_text(encoding="utf-8"))
            net = (run_folder(key, root) / WEIGHTS).read_bytes()
            if timing["sha256"] == hashlib.sha256(net).hexdigest():
                seconds[key] = float(timing["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # no time is known: this is no input of the study
    return seconds


def _file(key: RunKey, timings: Path) -> Path:
    return timings / key.experiment / key.method / f"{key.seed}.json"
