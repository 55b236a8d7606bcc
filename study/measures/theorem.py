"""What theorem 1 predicts of a bottleneck: linear predictions, and classes of few directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from study.data.dataset import Dataset
from study.measures.measure import Measure, of_training
from study.measures.spectra import singular_values
from study.seeds import Purpose, seed_sequence

if TYPE_CHECKING:
    from study.training.run import Run  # which imports torch

LAMS = np.arange(0.05, 1, 0.1)  # by these a jump half-way is exactly as bad as no line
Floats = NDArray[np.floating]
_OF_TEST = [
    Measure("test_linearity", "R² of predictions between two states and a straight line, test"),
    Measure("test_linearity_logits", "R² of logits between two states and a straight line, test"),
    Measure("test_variance_within", "share of the states' variance within classes, test"),
    Measure("test_variance_outside", "share of variance outside of D - d + 1 directions, test"),
    Measure(
        "test_variance_outside_common",
        "share of variance outside of D - d + 1 directions for all classes, test",
    ),
]
_SHORT = {
    "train_linearity": "predictions between two states:\nR² of a straight line in lam",
    "train_variance_outside": "variance within classes, as a share of all:\n"
    "solid, outside of D - d + 1 directions; dashed, in all",
    "train_linearity_logits": "logits between two states:\nR² of a straight line in lam",
}
PREDICTED = {"train_excess_loss": 0.0, "train_linearity": 1.0, "train_variance_outside": 0.0}
"""What theorem 1 says of nets that mix where D >= d - 1 units."""
_SAID = ("train_linearity", "train_variance_outside")
_SEEN = (*_SAID, "train_linearity_logits", "train_variance_within")
MEASURES = [
    *_OF_TEST,
    *(
        replace(
            measure,
            short=_SHORT.get(measure.name, ""),
            seen_in=("widths",) * (measure.name in _SEEN),
            said_in=("widths",) * (measure.name in _SAID),
        )
        for measure in of_training(_OF_TEST)
    ),
]


def bottleneck_measures(run: Run, dataset: Dataset, n_pairs: int) -> dict[str, float]:
    """Hold a run's bottleneck, in eval mode, against what theorem 1 predicts.

    Where D units are at least as many as d classes less one, the mixed loss can reach its floor:
    the prediction is then a linear map of the state, and so that each class has one prediction, its
    states lie in D - d + 1 directions. For each split:

    - ``{split}_linearity``: `linearity` of the class probabilities, which at the floor equal the
      mixed targets; the theorem predicts 1.
    - ``{split}_linearity_logits``: the same of the logits. At the floor these are logarithms of
      probabilities, which are *not* linear in lam.
    - ``{split}_variance_within``: variance of the states within the classes, as a share of all.
    - ``{split}_variance_outside``: what of it lies outside of D - d + 1 directions of each class;
      the theorem predicts 0. With fewer than d - 1 units it predicts nothing, and no direction is
      taken off.
    - ``{split}_variance_outside_common``: the same, with the same directions for all classes, as a
      linear map would have it.

    Source: Verma et al. 2019 (arXiv 1806.05236), theorem 1; the measures are this study's.

    Args:
        run: of a net with a bottleneck.
        dataset: the data set it was trained on.
        n_pairs: pairs of points of different classes that are mixed.

    Raises:
        StudyError: the net has no bottleneck.

    Randomness: the pairs, from a generator seeded by the run's seed, so that methods share them.
    """
    bottleneck = run.bottleneck
    logits = class_logits_from(run, bottleneck.layer)
    split = run.split(dataset)
    measures: dict[str, float] = {}
    directions = allowed_directions(bottleneck.size, dataset.n_classes)
    for name, inputs, of_split in (
        ("train", split.train_inputs, split.train_labels),
        ("test", split.test_inputs, split.test_labels),
    ):
        states, labels = run.states(inputs, bottleneck.layer), of_split.numpy()
        rng = np.random.default_rng(seed_sequence(run.config.seed, Purpose.PAIRS))
        pairs = different_pairs(labels, n_pairs, rng)
        ends = states[pairs[0]], states[pairs[1]]
        measures |= {
            f"{name}_linearity": linearity(lambda h: softmax(logits(h), axis=1), *ends),
            f"{name}_linearity_logits": linearity(logits, *ends),
            f"{name}_variance_within": variance_outside(states, labels, 0),
            f"{name}_variance_outside": variance_outside(states, labels, directions),
            f"{name}_variance_outside_common": variance_outside(
                states, labels, directions, common=True
            ),
        }
    return measures


def class_logits_from(run: Run, k: int) -> Callable[[Floats], NDArray[np.float64]]:
    """Give the map from (N, D) states after hidden layer k to (N, C) logits, two for one logit."""

    def logits(states: Floats) -> NDArray[np.float64]:
        found = run.logits(states, k)
        return np.concatenate([-found, found], axis=1) / 2 if found.shape[1] == 1 else found

    return logits


def different_pairs(
    labels: NDArray[np.integer], n_pairs: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw pairs of points of different classes, each such pair as likely.

    Args:
        labels: (N,) int.
        n_pairs: how many.
        rng: draws them.

    Returns:
        The (n_pairs,) indices of the first and of the second points.

    Raises:
        ValueError: all labels are equal.
    """
    if len(np.unique(labels)) < 2:
        raise ValueError("pairs of different classes need two classes")
    pairs = np.empty((0, 2), dtype=np.int64)
    while len(pairs) < n_pairs:
        drawn = rng.integers(len(labels), size=(n_pairs, 2))
        pairs = np.concatenate([pairs, drawn[labels[drawn[:, 0]] != labels[drawn[:, 1]]]])
    return pairs[:n_pairs, 0], pairs[:n_pairs, 1]


def linearity(predict: Callable[[Floats], Floats], one: Floats, other: Floats) -> float:
    """Measure how linear in lam the prediction from ``lam * h_i + (1 - lam) * h_j`` is.

    With f(lam) that prediction and the chord ``c(lam) = lam * f(1) + (1 - lam) * f(0)``,

        R^2 = 1 - sum |f(lam) - c(lam)|^2 / sum |c(lam) - c(1/2)|^2

    over all pairs and ten lams spread evenly over (0, 1), so that a pair weighs as much as its ends
    differ. A linear map has 1, one that jumps half-way between its ends 0, one that predicts a
    third class in between less. The chord stands in for the mixed targets, so that accuracy at the
    ends does not enter.

    Args:
        predict: maps (M, D) states to (M, C) predictions.
        one: (P, D) float, the states at lam = 1.
        other: (P, D) float, those at lam = 0.

    Returns:
        R^2, at most 1; NaN if the predictions at the ends never differ.
    """
    weights = LAMS[:, None, None]
    mixed = weights * one + (1 - weights) * other
    predicted = predict(mixed.reshape(-1, mixed.shape[-1])).reshape(*mixed.shape[:2], -1)
    chord = weights * predict(one) + (1 - weights) * predict(other)
    total = ((chord - chord.mean(axis=0)) ** 2).sum()
    return float(1 - ((predicted - chord) ** 2).sum() / total) if total else float("nan")


def allowed_directions(n_units: int, n_classes: int) -> int:
    """Count the directions that theorem 1 leaves to a class: D - d + 1, at least none."""
    return max(0, n_units - n_classes + 1)


def variance_outside(
    states: Floats, labels: NDArray[np.integer], n_directions: int, *, common: bool = False
) -> float:
    """Measure the spread within classes that lies outside of their main directions.

    It is the sum of squared distances of the states from the ``n_directions``-dimensional plane
    through their class's mean that fits best, as a share of their squared distances from the mean
    of all: 0 where each class lies in such a plane. h -> c h + b does not change it.

    Args:
        states: (N, D) float.
        labels: (N,) int.
        n_directions: dimensions of the planes, 0..D.
        common: whether the planes are parallel, instead of each class having its own directions.

    Returns:
        A share in [0, 1]; NaN if all states are equal.
    """
    states = np.asarray(states, dtype=np.float64)
    total = ((states - states.mean(axis=0)) ** 2).sum()
    classes = np.unique(labels)
    groups = labels
    if common:
        means = np.stack([states[labels == label].mean(axis=0) for label in classes])
        states = states - means[np.searchsorted(classes, labels)]
        groups, classes = np.zeros(len(states), dtype=np.int64), np.zeros(1, dtype=np.int64)
    spectra = [singular_values(states, groups, label, "centred") for label in classes]
    outside = sum((spectrum[n_directions:] ** 2).sum() for spectrum in spectra)
    return float(outside / total) if total else float("nan")
