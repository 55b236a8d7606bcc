"""Singular values of the hidden states of each class, and how flat they are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import entr

from study.measures.bottleneck import States, units
from study.measures.measure import Measure, of_training
from study.paths import RunKey
from study.training.experiment import ExperimentConfig

SCALINGS = {
    "raw": "states as they are",
    "centred": "class mean subtracted",
    "scale_free": "class mean subtracted, total spread of all classes divided out",
}
"""What is done to states before their singular values are taken."""
SEEN = {
    "raw": "the first value holds the distance from the origin",
    "centred": "spread within the class, in units of the hidden space",
}
"""What the values then show."""
_SAID = {scaling: scaling.replace("_", "-") for scaling in SCALINGS}
_MEANING = (
    "singular values: mean of the classes; raw: states as they are; centred: class mean "
    "subtracted; scale-free: and divided by the spread of all classes"
)
FLATNESS = [
    *(
        Measure(
            f"test_first_singular_value_{scaling}",
            f"first singular value, {said}, test",
            seen_in=("methods", f"spectra_{scaling}"),
            said_in=(f"spectra_{scaling}",),
            meaning=_MEANING * (scaling == "raw"),
            headline=scaling != "centred",
        )
        for scaling, said in _SAID.items()
    ),
    Measure("test_effective_rank", "effective rank, test", seen_in=("methods",)),
    *(
        Measure(
            f"test_other_singular_values_{scaling}",
            f"sum of all singular values but the largest, {said}, test",
            seen_in=(f"spectra_{scaling}",),
        )
        for scaling, said in _SAID.items()
    ),
]
OF_ALL = [
    Measure(
        f"test_all_classes_first_singular_value_{scaling}",
        f"first singular value of all classes together, {said}, test",
    )
    for scaling, said in _SAID.items()
]
MEASURES = [*FLATNESS, *OF_ALL, *of_training([*FLATNESS, *OF_ALL])]


def applies(key: RunKey, experiment: ExperimentConfig) -> bool:
    """Whether the bottleneck has over two units, in the experiment or in the method's own net."""
    return max(units(experiment.net), units(experiment.net_of(key.method))) > 2


def singular_values(states: np.ndarray, labels: np.ndarray, label: int, scaling: str) -> np.ndarray:
    """Compute the singular values of the states of one class.

    With H the (n, D) states of the class, m their mean, and S the sum of squared distances of
    the (N, D) states of all classes from their common mean:

    - ``raw``: those of H. The first is mostly the distance of the class from the origin.
    - ``centred``: those of H - m. Squared, they are n times the variances along the principal
      axes of the class.
    - ``scale_free``: those of H - m, divided by sqrt(n) and by sqrt(S / N). Squared, they are
      the variances along the principal axes of the class as shares of the total variance.
      They stay the same under h -> c h + b and do not grow with the number of points.

    Source: Verma et al. 2019 (arXiv 1806.05236), section 3.2, for ``raw``; the other two
    separate spread from position and from size.

    Args:
        states: (N, D) float, of all classes.
        labels: (N,) int.
        label: the class.
        scaling: one of `SCALINGS`.

    Returns:
        (D,) float64, descending; zeros at the end where the class has fewer points than D.
        NaN with ``scale_free`` if all states are equal.

    Raises:
        ValueError: ``scaling`` is unknown, or no point has the label.
    """
    if scaling not in SCALINGS:
        raise ValueError(f"scaling must be one of {', '.join(SCALINGS)}, got {scaling!r}")
    states = np.asarray(states, dtype=np.float64)
    members = states[np.asarray(labels) == label]
    if not len(members):
        raise ValueError(f"no state has the label {label}")
    if scaling != "raw":
        members = members - members.mean(axis=0)
    values = np.zeros(states.shape[1])
    found = np.linalg.svd(members, compute_uv=False)
    values[: len(found)] = found
    if scaling == "scale_free":
        total_variance = states.var(axis=0).sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            values /= np.sqrt(len(members) * total_variance)
    return values


def effective_rank(values: np.ndarray) -> float:
    """Compute exp(H(p)), H the entropy of the singular values p = values / sum(values).

    Source: Roy and Vetterli, "The effective rank: a measure of effective dimensionality",
    EUSIPCO 2007.

    Args:
        values: (D,) singular values >= 0.

    Returns:
        A number from 1 (one direction) to D (all alike); NaN if all values are 0.
    """
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return float(np.exp(entr(values / values.sum()).sum()))


def spectra_table(splits: Mapping[str, States]) -> pd.DataFrame:
    """Tabulate the singular values of every class in every scaling.

    Args:
        splits: for each split's name, states (N, D) float and labels (N,) int.

    Returns:
        Columns split, digit, scaling, index (from 1), value; one row a singular value.
    """
    spectra = [
        pd.DataFrame(
            {
                "split": split,
                "digit": int(label),
                "scaling": scaling,
                "index": np.arange(1, states.shape[1] + 1),
                "value": singular_values(states, labels, label, scaling),
            }
        )
        for split, (states, labels) in splits.items()
        for label in np.unique(labels)
        for scaling in SCALINGS
    ]
    return pd.concat(spectra, ignore_index=True)


def flatness(table: pd.DataFrame) -> dict[str, float]:
    """Sum up one run's spectra: small values and a small effective rank mean flat classes.

    Each measure is the mean over the digits:

    - ``{split}_first_singular_value_{scaling}``: the largest singular value.
    - ``{split}_other_singular_values_{scaling}``: the sum of all others.
    - ``{split}_effective_rank``: that of the centred states (the same when scale-free).

    Args:
        table: what `spectra_table` gives.

    Returns:
        A number for each of the measures.
    """
    measures: dict[str, float] = {}
    for split, of_split in table.groupby("split", sort=False):
        for scaling, spectra in of_split.groupby("scaling", sort=False):
            values = spectra.pivot(index="digit", columns="index", values="value").to_numpy()
            first = values[:, 0].mean()
            others = values[:, 1:].sum(axis=1).mean()
            measures[f"{split}_first_singular_value_{scaling}"] = float(first)
            measures[f"{split}_other_singular_values_{scaling}"] = float(others)
            if scaling == "centred":
                ranks = [effective_rank(spectrum) for spectrum in values]
                measures[f"{split}_effective_rank"] = float(np.mean(ranks))
    return measures


def flatness_of_all(splits: Mapping[str, States]) -> dict[str, float]:
    """Sum up one run's spectra of all classes together.

    ``{split}_all_classes_first_singular_value_{scaling}`` is the largest singular value of all
    states as if they were one class.

    Args:
        splits: as for `spectra_table`; the labels are not looked at.

    Returns:
        A number for each of the measures.
    """
    return {
        f"{split}_all_classes_first_singular_value_{scaling}": float(
            singular_values(states, np.zeros(len(states)), 0, scaling)[0]
        )
        for split, (states, _) in splits.items()
        for scaling in SCALINGS
    }
