"""The name of a run, and where the study keeps things, as seen from its folder."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

RUNS = Path("runs")
CHECKPOINTS = Path("checkpoints")
TIMINGS = Path("timings")
CONFIG_FILE, WEIGHTS = "config.json", "model.safetensors"
HISTORY_FILE, METRICS_FILE = "history.csv", "metrics.json"
"""In the folder of a run."""
CHOICE = "choice.csv"
"""The file of a run that chose its settings: what it tried, and what it chose."""

RUNS_TABLE = "metrics/runs.csv"
"""Every number of every run."""
SUMMARY_TABLE, MEANS_JSON = "metrics/summary.csv", "metrics/summary.json"
CURVES_TABLE, SPECTRA_TABLE = "metrics/curves.csv", "metrics/spectra.csv"
CLAIMS_TABLE, VERDICTS_JSON = "metrics/claims.csv", "metrics/claims.json"
RANKS_TABLE, WINS_TABLE = "metrics/ranks.csv", "metrics/wins.csv"
HEADLINE_JSON = "metrics/headline.json"
ANSWER = Path("metrics/answer.txt")
"""Of a study of one's own."""
FIGURES = Path("figures/study")


class RunKey(NamedTuple):
    """The name of one run."""

    experiment: str
    method: str
    seed: int


def copied_from() -> Path | None:
    """Find the folder of the study that DVC copied to run an experiment here; None elsewhere."""
    copies = (".dvc", "tmp", "exps")
    return next((path.parents[2] for path in Path.cwd().parents if path.parts[-3:] == copies), None)


def data_file(name: str) -> Path:
    """Name the file of a data set."""
    return Path("data") / f"{name}.npz"


def run_folder(key: RunKey, root: Path = RUNS) -> Path:
    """Name the folder of a run: runs/EXPERIMENT/METHOD/SEED."""
    return root / key.experiment / key.method / str(key.seed)


def checkpoint_path(key: RunKey, root: Path = CHECKPOINTS) -> Path:
    """Name the checkpoint of a run: checkpoints/EXPERIMENT/METHOD/SEED, a file."""
    return root / key.experiment / key.method / str(key.seed)


def part_of(checkpoint: Path) -> Path:
    """Name the file that a checkpoint is written to before it takes its place.

    It is always the same: whoever is killed often leaves one such file, not many.
    """
    return checkpoint.with_name(f".{checkpoint.name}.part")


def remove_checkpoint(path: Path) -> None:
    """Delete the checkpoint of a run that is stored, if there is one and it can be deleted."""
    for file in (path, part_of(path)):
        with suppress(OSError):
            file.unlink()
