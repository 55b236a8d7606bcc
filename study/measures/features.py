"""How good hidden states are as features, and how flat each class of them is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study.data.dataset import Dataset
from study.errors import StudyError
from study.measures.measure import Measure, after_layer, of_training
from study.measures.spectra import FLATNESS, flatness, spectra_table

if TYPE_CHECKING:
    from study.training.run import Run  # which imports torch

FIRST_LAYER = 1  # the state of which the paper gives singular values
_RATIOS = [
    Measure(
        f"test_first_over_others_{scaling}",
        f"first singular value over all others, {scaling}, test",
    )
    for scaling in ("raw", "centred")
]
_OF_CLASSES = [
    Measure(
        rf"test_first_over_others_{scaling}_(\d+)_after_{FIRST_LAYER}",
        f"first singular value over all others, class {{}}, {scaling}, test, "
        f"after layer {FIRST_LAYER}",
        seen_in=("class_ratios",),
    )
    for scaling in ("raw", "centred")
]
_DRAWN = ("class_ratios",)
MEASURES = [
    *(
        replace(measure, seen_in=_DRAWN, said_in=_DRAWN)
        for measure in after_layer(_RATIOS, FIRST_LAYER)
    ),
    *_OF_CLASSES,
    *after_layer([*FLATNESS, *of_training([*FLATNESS, *_RATIOS])], FIRST_LAYER),
    Measure(
        r"test_knn_error_after_(\d+)",
        "nearest neighbours' error by states k = {}, test",
        better="less",
        seen_in=("neighbours",),
        said_in=("neighbours",),
    ),
]


def feature_measures(run: Run, dataset: Dataset, neighbours: int) -> dict[str, float]:
    """Measure a run's hidden states, in eval mode, as features of its training and test points.

    - ``{measure}_after_1``: those of `flatness` and of `first_over_others`, of the state after the
      first hidden layer, training and test; of the latter also those of `class_ratios`.
    - ``test_knn_error_after_{k}``: `knn_error` of the state after hidden layer k; 0 is the input.

    Source: Verma et al. 2019 (arXiv 1806.05236), section 3.2 for the spectra; they also compare
    nearest neighbours, on the states of a ResNet.

    Args:
        run: the run.
        dataset: the data set it was trained on.
        neighbours: training points that vote on a test point.

    Raises:
        StudyError: there are fewer training points than neighbours.
    """
    split = run.split(dataset)
    train_labels, test_labels = split.train_labels.numpy(), split.test_labels.numpy()
    if neighbours > len(train_labels):
        raise StudyError(
            f"states.neighbours must be at most {len(train_labels)}, the number of training "
            f"points of {run.folder}, got {neighbours}"
        )
    measures: dict[str, float] = {}
    for k in range(run.config.net.depth + 1):
        train, test = run.states(split.train_inputs, k), run.states(split.test_inputs, k)
        if k == FIRST_LAYER:
            spectra = spectra_table({"train": (train, train_labels), "test": (test, test_labels)})
            found = flatness(spectra) | first_over_others(spectra)
            found |= class_ratios(spectra[spectra["split"] == "test"])
            measures |= {f"{name}_after_{k}": value for name, value in found.items()}
        error = knn_error(train, train_labels, test, test_labels, neighbours)
        measures[f"test_knn_error_after_{k}"] = error
    return measures


def class_ratios(spectra: pd.DataFrame) -> dict[str, float]:
    """Divide each class's largest singular value by the sum of all others.

    The ratio does not change with the size of the states: ``centred`` and ``scale_free`` have the
    same, so only the former is given.

    Source: Verma et al. 2019, section 3.2, give both parts, of states that are not centred.

    Args:
        spectra: what `spectra_table` gives.

    Returns:
        ``{split}_first_over_others_{scaling}_{class}`` for each split, class and scaling of raw and
        centred, > 0; infinite for a class with a single direction, NaN for one that is a point.
    """
    ratios = _ratios(spectra)
    names = ratios["split"] + "_first_over_others_" + ratios["scaling"]
    return dict(zip(names + "_" + ratios["digit"].astype(str), ratios["value"], strict=True))


def first_over_others(spectra: pd.DataFrame) -> dict[str, float]:
    """Average the ratios of `class_ratios` over the classes.

    Args:
        spectra: what `spectra_table` gives.

    Returns:
        ``{split}_first_over_others_{scaling}`` for each split and scaling.
    """
    means = _ratios(spectra).groupby(["split", "scaling"], sort=False)["value"].mean().reset_index()
    names = means["split"] + "_first_over_others_" + means["scaling"]
    return dict(zip(names, means["value"], strict=True))


def _ratios(spectra: pd.DataFrame) -> pd.DataFrame:
    shown = spectra[spectra["scaling"] != "scale_free"]
    by_class = shown.groupby(["split", "scaling", "digit"], sort=False)["value"]
    first = by_class.first()
    return (first / (by_class.sum() - first)).reset_index()


def knn_error(
    train_states: NDArray[np.floating],
    train_labels: NDArray[np.integer],
    test_states: NDArray[np.floating],
    test_labels: NDArray[np.integer],
    neighbours: int,
) -> float:
    """Compute the error of the vote of the nearest training states, by Euclidean distance.

    Args:
        train_states: (N, D) float, N >= ``neighbours``.
        train_labels: (N,) int.
        test_states: (M, D) float.
        test_labels: (M,) int.
        neighbours: how many vote; of classes with equal votes the smallest label wins.

    Returns:
        Share of test points for which the vote is wrong, in [0, 1].

    Raises:
        ValueError: there are fewer training points than neighbours.
    """
    from sklearn.neighbors import KNeighborsClassifier

    classifier = KNeighborsClassifier(neighbours, algorithm="brute").fit(train_states, train_labels)
    return float(np.mean(classifier.predict(test_states) != test_labels))
