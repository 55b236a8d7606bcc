"""How long runs took, beside DVC's outputs: a run's own files are the same each time."""

import hashlib
import json
from pathlib import Path

from mixup.study.files import whole_file
from mixup.study.paths import TIMINGS
from mixup.study.training.config import RunKey


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
    file = timings / key.experiment / key.method / f"{key.seed}.json"
    with whole_file(file) as temporary:
        temporary.write_text(json.dumps(timing) + "\n", encoding="utf-8")
