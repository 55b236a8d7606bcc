"""What every run tells of its training: its own metrics.json, and the course of its history."""

from pathlib import Path

import numpy as np

from study.measures.measure import Measure
from study.paths import RUNS, RunKey, run_folder
from study.tables import read_history

COLUMNS = ["step", "loss", "floor", "test_loss"]
LAST_PART = 0.1
MEASURES = [
    Measure(
        "test_accuracy",
        "test accuracy",
        digits=3,
        better="more",
        seen_in=("methods", "layers", "curves", "allowances"),
        said_in=("methods", "layers"),
        headline=True,
    ),
    Measure("test_balanced_accuracy", "test accuracy, mean over classes", better="more"),
    Measure(
        "test_nll",
        "test NLL",
        "nats",
        better="less",
        seen_in=("methods", "layers", "curves", "allowances"),
        said_in=("methods", "layers", "curves", "allowances"),
        headline=True,
    ),
    Measure(
        "test_ece",
        "test ECE",
        better="less",
        seen_in=("methods", "reliability", "allowances"),
        said_in=("reliability",),
        headline=True,
    ),
    Measure("test_brier", "test Brier score", better="less", seen_in=("methods",)),
    Measure("train_accuracy", "training accuracy", seen_in=("curves",)),
    Measure("train_nll", "training NLL on clean data", "nats", seen_in=("methods", "curves")),
    Measure("validation_accuracy", "validation accuracy"),
    Measure("validation_nll", "validation NLL", "nats"),
    Measure(
        "low_confidence_area",
        "unsure share of the input plane",
        short="unsure area",
        seen_in=("methods", "boundaries", "hidden", "hidden_plain"),
        said_in=("boundaries",),
        meaning="unsure: P(class 1) from 0.25 to 0.75, as a share of the points' box",
        headline=True,
    ),
    Measure("test_nll_rise", "rise of the test NLL after its lowest point", "nats"),
    Measure(
        "train_excess_loss",
        "training loss above its floor",
        "nats",
        short="mixed loss above its floor, nats",
        seen_in=("widths",),
    ),
]


def history_measures(key: RunKey, root: Path = RUNS) -> dict[str, float]:
    """Measure the course of a run.

    - ``test_nll_rise``: the last test NLL minus the lowest of all evaluations; >= 0.
    - ``train_excess_loss``: the mean optimised loss over the last tenth of the steps (rounded up
      to whole rows of the history), minus the mean of their floors, which are those of the very
      lam drawn (see `study.training.recipe.Floor`), so that a run's luck with its lam is not
      taken for an excess.

    Args:
        key: the run.
        root: where the run folders are.

    Returns:
        A number for each measure.

    Raises:
        StudyError: the run's history is missing or damaged.
    """
    history = read_history(run_folder(key, root), COLUMNS)
    last = history["step"] > (1 - LAST_PART) * history["step"].iloc[-1]
    rows = history["step"].diff().fillna(history["step"])
    excess = history["loss"] - history["floor"]
    return {
        "test_nll_rise": float(history["test_loss"].iloc[-1] - history["test_loss"].min()),
        "train_excess_loss": float(np.average(excess[last], weights=rows[last])),
    }
