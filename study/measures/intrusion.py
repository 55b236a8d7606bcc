"""Manifold intrusion: mixed points that land where the training data have another class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from study.data.dataset import Dataset
from study.measures.measure import Measure
from study.paths import RunKey
from study.training.experiment import ExperimentConfig

if TYPE_CHECKING:
    from study.training.run import Run  # which imports torch

PAIRS = 2_000
PAIRS_AROUND = 10_000
"""More, as only the few around each test point are looked at."""
N_NEAREST = 50
"""Mixed points looked at around a point, a share of 1 / 200 of 10,000."""
_DRAWN = ("intrusion",)
MEASURES = [
    Measure(
        r"intrusion_(\d+)",
        "share of mixed states that intrude, k = {}",
        short="nearest training point of neither class",
        seen_in=_DRAWN,
        said_in=_DRAWN,
    ),
    Measure(
        r"intrusion_others_(\d+)",
        "share that intrude with the two mixed points left aside, k = {}",
        short="nearest, but for the two mixed, of neither",
        seen_in=_DRAWN,
    ),
    Measure(
        "intrusion_auc",
        "area under the ROC curve of intrusion telling test errors",
        seen_in=_DRAWN,
        said_in=_DRAWN,
    ),
]


def applies(key: RunKey, experiment: ExperimentConfig) -> bool:
    """Whether a method of the experiment mixes the input alone, by the study's alpha."""
    methods = [experiment.methods[name] for name in experiment.mixing]
    return any(method.eligible == [0] and method.alpha is None for method in methods)


def intrusion_measures(run: Run, dataset: Dataset, alpha: float) -> dict[str, float]:
    """Measure where mixed points intrude on other classes, and whether errors lie there.

    - ``intrusion_K`` and ``intrusion_others_K``: `intrusion_shares` of the training points' states
      after hidden layer K, in eval mode; 0 is the input.
    - ``intrusion_auc``: `auc_of_errors` of the test points by `intrusion_around` them.

    Args:
        run: the run.
        dataset: the data set it was trained on.
        alpha: lam ~ Beta(alpha, alpha).

    Randomness: pairs and lam, from a fixed seed: the same for all runs and layers.
    """
    split = run.split(dataset)
    train_labels, labels = split.train_labels.numpy(), split.test_labels.numpy()
    measures: dict[str, float] = {}
    for k in range(run.config.net.depth + 1):
        states = run.states(split.train_inputs, k)
        mixed = mix_pairs(states, train_labels, alpha, np.random.default_rng(0), PAIRS)
        shares = intrusion_shares(states, train_labels, mixed)
        measures |= {f"{name}_{k}": share for name, share in shares.items()}
    inputs, rng = split.train_inputs.numpy(), np.random.default_rng(0)
    mixed = mix_pairs(inputs, train_labels, alpha, rng, PAIRS_AROUND)
    around = intrusion_around(split.test_inputs.numpy(), labels, mixed)
    is_wrong = run.probabilities(split.test_inputs).argmax(1) != labels
    return measures | {"intrusion_auc": auc_of_errors(is_wrong, around)}


@dataclass(frozen=True)
class MixedPairs:
    """Points mixed as input mixup does, of two training points each, of any classes.

    Args:
        points: (M, F) ``lam * x_i + (1 - lam) * x_j``, i != j.
        members: (M, 2) int, the indices i and j.
        classes: (M, 2) int, their labels.
    """

    points: NDArray[np.floating]
    members: NDArray[np.integer]
    classes: NDArray[np.integer]


def mix_pairs(
    inputs: NDArray[np.floating],
    labels: NDArray[np.integer],
    alpha: float,
    rng: np.random.Generator,
    n_pairs: int,
) -> MixedPairs:
    """Mix random pairs of different points with ``lam ~ Beta(alpha, alpha)``, each its own.

    Args:
        inputs: (N, F) float, or states of a hidden layer; N >= 2.
        labels: (N,) int.
        alpha: > 0.
        rng: draws pairs and lam.
        n_pairs: M.

    Raises:
        ValueError: there are fewer than two points.

    Randomness: pairs and lam, from ``rng``; the same for equal N, whatever the points.
    """
    n = len(labels)
    if n < 2:
        raise ValueError(f"a pair needs two points, got {n}")
    first = rng.integers(n, size=n_pairs)
    second = (first + rng.integers(1, n, size=n_pairs)) % n
    lam = rng.beta(alpha, alpha, size=(n_pairs, 1))
    points = (lam * inputs[first] + (1 - lam) * inputs[second]).astype(inputs.dtype)
    members = np.stack([first, second], axis=1)
    return MixedPairs(points, members, labels[members])


def intrusion_shares(
    inputs: NDArray[np.floating], labels: NDArray[np.integer], mixed: MixedPairs
) -> dict[str, float]:
    """Compute the share of mixed points that are nearest to a point of neither mixed class.

    - ``intrusion``: the nearest of all training points counts. In many dimensions that is nearly
      always one of the two mixed points themselves: midway it is half their distance away.
    - ``intrusion_others``: the nearest but for those two counts.

    With two classes, only pairs of one class can intrude.

    Source: Guo et al. 2019 (arXiv 1809.02499) name manifold intrusion; they learn to avoid it and
    do not count it.

    Args:
        inputs: (N, F) what was mixed; N >= 3.
        labels: (N,) int.
        mixed: pairs of these inputs.

    Returns:
        Both shares, in [0, 1].

    Raises:
        ValueError: there are fewer than three points.
    """
    from sklearn.neighbors import NearestNeighbors

    if len(labels) < 3:
        raise ValueError(f"a mixed point needs a third one to be near to, got {len(labels)} points")
    nearest = NearestNeighbors(n_neighbors=3).fit(inputs)
    found: NDArray[np.integer] = nearest.kneighbors(mixed.points, return_distance=False)
    is_other = (found[:, :, None] != mixed.members[:, None, :]).all(axis=2)
    others = found[np.arange(len(found)), is_other.argmax(axis=1)]
    return {
        name: float(np.mean((labels[chosen][:, None] != mixed.classes).all(axis=1)))
        for name, chosen in (("intrusion", found[:, 0]), ("intrusion_others", others))
    }


def intrusion_around(
    points: NDArray[np.floating],
    labels: NDArray[np.integer],
    mixed: MixedPairs,
    n_nearest: int = N_NEAREST,
) -> NDArray[np.float64]:
    """Compute how many of the mixed points nearest to each point deny its class altogether.

    Args:
        points: (N, F), test points.
        labels: (N,) their classes.
        mixed: M >= ``n_nearest`` mixed training points.
        n_nearest: how many mixed points are looked at around each point.

    Returns:
        (N,) the share of those of which neither mixed class is the point's, in [0, 1].
    """
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=n_nearest).fit(mixed.points)
    classes = mixed.classes[nearest.kneighbors(points, return_distance=False)]
    shares: NDArray[np.float64] = np.mean((classes != labels[:, None, None]).all(axis=2), axis=1)
    return shares


def auc_of_errors(is_wrong: NDArray[np.bool_], shares: NDArray[np.float64]) -> float:
    """Compute how well shares tell the points that a net gets wrong from those it gets right.

    The probability that a wrong point has a larger share than a right one, half of it for ties:
    the area under the ROC curve. 0.5 tells nothing.

    Args:
        is_wrong: (N,) bool.
        shares: (N,) float.

    Returns:
        A number in [0, 1]; NaN where all points are right, or all wrong.
    """
    from sklearn.metrics import roc_auc_score

    if is_wrong.all() or not is_wrong.any():
        return float("nan")
    return float(roc_auc_score(is_wrong, shares))
