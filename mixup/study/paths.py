"""Where the study keeps things, as seen from its folder; stages without torch ask here too."""

from pathlib import Path

from mixup.study.training.config import RunKey

RUNS = Path("runs")
CHECKPOINTS = Path("checkpoints")
TIMINGS = Path("timings")


def data_file(name: str) -> Path:
    """Name the file of a data set."""
    return Path("data") / f"{name}.npz"


def run_folder(key: RunKey, root: Path = RUNS) -> Path:
    """Name the folder of a run: runs/EXPERIMENT/METHOD/SEED."""
    return root / key.experiment / key.method / str(key.seed)


def checkpoint_path(key: RunKey, root: Path = CHECKPOINTS) -> Path:
    """Name the checkpoint of a run: checkpoints/EXPERIMENT/METHOD/SEED, a file."""
    return root / key.experiment / key.method / str(key.seed)
