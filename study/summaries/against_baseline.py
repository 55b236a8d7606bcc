"""Every method against a baseline that is allowed early stopping or temperature scaling."""

from __future__ import annotations

import pandas as pd

from study.paired import mean_and_interval
from study.tables import BASELINE, values_by_seed

# Temperature scaling leaves the accuracy as it is.
MEASURED = {
    "nll": {"as_is": "test_nll", "stopped": "stopped_test_nll", "tempered": "tempered_test_nll"},
    "ece": {"as_is": "test_ece", "stopped": "stopped_test_ece", "tempered": "tempered_test_ece"},
    "accuracy": {"as_is": "test_accuracy", "stopped": "stopped_test_accuracy"},
}
ALLOWANCES = [
    *("experiment", "score", "method", "allowed", "baseline_allowed"),
    *("n", "difference", "low", "high"),
]


def against_baseline(measures: pd.DataFrame) -> pd.DataFrame:
    """Compare every method, as it is and with each allowance, with the baseline so.

    Args:
        measures: columns experiment, method, seed, metric, value; every run has what `MEASURED`
            names.

    Returns:
        Columns `ALLOWANCES`: for each experiment that has a baseline, each score (NLL in nats,
        ECE, accuracy) and each two sides the mean over seeds of method minus baseline, paired by
        seed, with its 95 % t interval.
    """
    rows = []
    for experiment, of_experiment in measures.groupby("experiment", sort=False):
        methods = of_experiment["method"].unique()
        if BASELINE not in methods:
            continue
        for score, metrics in MEASURED.items():
            values = {
                allowed: values_by_seed(of_experiment, metric)
                for allowed, metric in metrics.items()
            }
            sides = [(method, allowed) for method in methods for allowed in values]
            for method, allowed in sides:
                for other in values:
                    if (method, allowed) == (BASELINE, other):
                        continue
                    paired = (values[allowed][method] - values[other][BASELINE]).dropna()
                    found = (len(paired), *mean_and_interval(paired))
                    rows.append((experiment, score, method, allowed, other, *found))
    return pd.DataFrame(rows, columns=pd.Index(ALLOWANCES))
