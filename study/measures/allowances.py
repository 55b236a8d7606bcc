"""What a baseline may do without mixing: scale its temperature, or stop early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from study.data.dataset import Dataset
from study.errors import StudyError
from study.measures.measure import Measure
from study.measures.temperature import fit_temperature, tempered
from study.paired import effects, mean_and_interval
from study.paths import RunKey
from study.tables import BASELINE, read_history, values_by_seed
from study.training.experiment import ExperimentConfig
from study.training.scores import N_BINS, Labels, Probabilities, bins_of, brier, ece, nll

if TYPE_CHECKING:
    from study.training.run import Run  # which imports torch

STOPPING = ["step", "test_loss", "test_accuracy", "test_ece", "validation_loss"]
_DRAWN = ("allowances",)
MEASURES = [
    Measure("temperature", "temperature T", seen_in=("reliability",)),
    Measure(
        "tempered_test_nll",
        "test NLL with temperature scaling",
        "nats",
        better="less",
        seen_in=_DRAWN,
        said_in=_DRAWN,
    ),
    Measure(
        "tempered_test_ece",
        "test ECE with temperature scaling",
        better="less",
        seen_in=("reliability", *_DRAWN),
        said_in=("reliability",),
    ),
    Measure("tempered_test_brier", "test Brier score with temperature scaling", better="less"),
    Measure("stopped_step", "step of the lowest validation loss"),
    Measure("stopped_test_nll", "test NLL stopped early", "nats", better="less", seen_in=_DRAWN),
    Measure("stopped_test_ece", "test ECE stopped early", better="less", seen_in=_DRAWN),
    Measure("stopped_test_accuracy", "test accuracy stopped early", better="more", seen_in=_DRAWN),
]

ALLOWANCES = {"as_is": "as it is", "stopped": "stopped early", "tempered": "temperature scaled"}
"""What a method is allowed to do, and the words for it."""
# Temperature scaling leaves the accuracy as it is.
SCORES_WITH_ALLOWANCES = {
    "nll": {"as_is": "test_nll", "stopped": "stopped_test_nll", "tempered": "tempered_test_nll"},
    "ece": {"as_is": "test_ece", "stopped": "stopped_test_ece", "tempered": "tempered_test_ece"},
    "accuracy": {"as_is": "test_accuracy", "stopped": "stopped_test_accuracy"},
}
"""Each score, and the metrics that hold it with each allowance."""
AGAINST_BASELINE = [
    *("experiment", "score", "method", "allowed", "baseline_allowed"),
    *("n", "difference", "low", "high"),
]
"""Columns of metrics/against_baseline.csv."""


def applies(key: RunKey, experiment: ExperimentConfig) -> bool:
    """Whether validation data were kept apart."""
    return experiment.training.validation_fraction > 0


@dataclass(frozen=True)
class Calibration:
    """A run's test predictions before and after temperature scaling.

    Args:
        temperature: T > 0, fitted on the validation data.
        as_is: (N, C), rows sum to 1.
        tempered: (N, C), the same scaled by T.
        labels: (N,) class indices.
    """

    temperature: float
    as_is: Probabilities
    tempered: Probabilities
    labels: Labels


def calibrate(run: Run, dataset: Dataset) -> Calibration:
    """Fit a run's temperature on its validation data and scale its test predictions.

    Args:
        run: trained with validation data kept apart.
        dataset: the data set it was trained on.

    Raises:
        StudyError: the run has no validation data.
    """
    from study.training.record import as_labels

    split = run.split(dataset)
    if not len(split.validation_labels):
        raise StudyError(f"{run.folder} kept no validation data to fit a temperature on")
    validation = run.probabilities(split.validation_inputs)
    temperature = fit_temperature(validation, as_labels(split.validation_labels))
    test = run.probabilities(split.test_inputs)
    return Calibration(temperature, test, tempered(test, temperature), as_labels(split.test_labels))


def reliability_tables(found: Calibration) -> pd.DataFrame:
    """Tabulate both reliability diagrams of a run.

    Returns:
        The columns of `reliability_table`, and scaling: ``none``, then ``temperature``.
    """
    before = reliability_table(found.as_is, found.labels).assign(scaling="none")
    after = reliability_table(found.tempered, found.labels).assign(scaling="temperature")
    return pd.concat([before, after], ignore_index=True)


def reliability_table(
    probabilities: Probabilities, labels: Labels, n_bins: int = N_BINS
) -> pd.DataFrame:
    """Tabulate a reliability diagram of the top label.

    The bins are those of `study.training.scores.bins_of`, but count from 1. The ECE is
    ``sum(count * abs(accuracy - confidence)) / sum(count)``.

    Args:
        probabilities: (N, C), rows sum to 1.
        labels: (N,) class indices.
        n_bins: number of bins from 0 to 1.

    Returns:
        A row a bin that has samples: bin (from 1), confidence and accuracy (means over its
        samples, in [0, 1]), count.
    """
    confidence = probabilities.max(1)
    samples = pd.DataFrame(
        {
            "bin": bins_of(confidence, n_bins) + 1,
            "confidence": confidence,
            "accuracy": (probabilities.argmax(1) == labels).astype(float),
        }
    )
    bins = samples.groupby("bin")
    return bins.mean().assign(count=bins.size()).reset_index()


def allowance_measures(run: Run, dataset: Dataset) -> dict[str, float]:
    """Give a run's `calibration_measures` and `early_stopping_measures`.

    Args:
        run: trained with validation data kept apart.
        dataset: the data set it was trained on.

    Raises:
        StudyError: the run has no validation data, or its history is missing or damaged.
    """
    history = read_history(run.folder, STOPPING)
    return calibration_measures(calibrate(run, dataset)) | early_stopping_measures(history)


def calibration_measures(found: Calibration) -> dict[str, float]:
    """Score test predictions after temperature scaling; the accuracy stays as it was.

    Returns:
        ``temperature``; ``tempered_test_nll`` (nats), ``tempered_test_ece`` (15 bins) and
        ``tempered_test_brier``, as the run's metrics without ``tempered_``.
    """
    return {
        "temperature": found.temperature,
        "tempered_test_nll": nll(found.tempered, found.labels),
        "tempered_test_ece": ece(found.tempered, found.labels),
        "tempered_test_brier": brier(found.tempered, found.labels),
    }


def early_stopping_measures(history: pd.DataFrame) -> dict[str, float]:
    """Give the test scores at the evaluation with the least validation loss.

    Args:
        history: a run's history.csv, with the columns `STOPPING`. Of equal losses the first
            counts.

    Returns:
        ``stopped_step``, ``stopped_test_nll`` (nats), ``stopped_test_ece``,
        ``stopped_test_accuracy``.

    Raises:
        ValueError: no evaluation has a validation loss.
    """
    if history["validation_loss"].isna().all():
        raise ValueError("early stopping needs validation losses")
    row = history.iloc[int(history["validation_loss"].argmin())]
    return {
        "stopped_step": float(row["step"]),
        "stopped_test_nll": float(row["test_loss"]),
        "stopped_test_ece": float(row["test_ece"]),
        "stopped_test_accuracy": float(row["test_accuracy"]),
    }


def against_baseline(measures: pd.DataFrame) -> pd.DataFrame:
    """Compare every method, as it is and with each allowance, with the baseline so.

    Args:
        measures: columns experiment, method, seed, metric, value; every run has what
            `SCORES_WITH_ALLOWANCES` names.

    Returns:
        Columns `AGAINST_BASELINE`: for each experiment that has a baseline, each score (NLL in
        nats, ECE, accuracy) and each two sides the mean over seeds of method minus baseline, paired
        by seed, with its 95 % t interval.
    """
    rows = []
    for experiment, of_experiment in measures.groupby("experiment", sort=False):
        methods = of_experiment["method"].unique()
        if BASELINE not in methods:
            continue
        for score, metrics in SCORES_WITH_ALLOWANCES.items():
            values = {
                allowed: values_by_seed(of_experiment, metric)
                for allowed, metric in metrics.items()
            }
            sides = [(method, allowed) for method in methods for allowed in values]
            for method, allowed in sides:
                for other in values:
                    if (method, allowed) == (BASELINE, other):
                        continue
                    with_it, without = values[allowed][method], values[other][BASELINE]
                    paired = effects(with_it, without, relative=False)
                    found = (len(paired), *mean_and_interval(paired))
                    rows.append((experiment, score, method, allowed, other, *found))
    return pd.DataFrame(rows, columns=pd.Index(AGAINST_BASELINE))
