"""The two planes of a net with a two-unit bottleneck: its inputs and its hidden states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study.data.dataset import Dataset
from study.errors import StudyError
from study.measures.bottleneck import units
from study.measures.measure import Measure
from study.measures.plane import (
    Box,
    ClassifiedPlane,
    boundary_length,
    bounding_box,
    input_plane,
    low_confidence_share,
)
from study.measures.spectra import effective_rank, singular_values, spectra_table
from study.paths import RunKey
from study.training.experiment import ExperimentConfig

if TYPE_CHECKING:
    from study.training.run import Run  # which imports torch

_MAPS = ("hidden", "hidden_plain")
MEASURES = [
    Measure(
        "boundary_length",
        "boundary in the input plane, length",
        short="boundary",
        digits=1,
        seen_in=("methods", *_MAPS),
        meaning="boundary: the line P(class 1) = 0.5, in diagonals of the box",
    ),
    Measure(
        "hidden_low_confidence_area",
        "unsure share of the hidden plane",
        short="unsure area",
        seen_in=("methods", *_MAPS),
        said_in=("hidden",),
    ),
    Measure(
        "hidden_boundary_length",
        "boundary in the hidden plane, length",
        short="boundary",
        digits=1,
        seen_in=("methods", *_MAPS),
    ),
    Measure(
        "hidden_effective_rank",
        "effective rank of a class, training",
        short="effective rank",
        seen_in=("methods", *_MAPS, "hidden_singular_values"),
        said_in=("hidden",),
        meaning="effective rank: 1 where a class's hidden states lie on a line, 2 "
        "where they spread alike in both directions",
    ),
    Measure(r"hidden_effective_rank_(\d+)", "effective rank of class {}, training"),
    Measure(
        "hidden_first_share",
        "first singular value's share, mean of the classes, training",
        short="first share",
        seen_in=_MAPS,
    ),
    Measure(r"hidden_first_share_(\d+)", "first singular value's share, class {}, training"),
]


def applies(key: RunKey, experiment: ExperimentConfig) -> bool:
    """Whether a net has a bottleneck of two units, or none; the data must lie in a plane."""
    return not units(experiment.net) or has_hidden_plane(key, experiment)


def has_hidden_plane(key: RunKey, experiment: ExperimentConfig) -> bool:
    """Whether the method's net has a bottleneck of two units."""
    return units(experiment.net_of(key.method)) == 2


def input_and_hidden_plane(run: Run, dataset: Dataset) -> tuple[ClassifiedPlane, ClassifiedPlane]:
    """Give the plane of a run's inputs and that of its bottleneck's states.

    The box of the inputs is the bounding box of all points, training and test; the box of the
    states is that of the training points' states, in eval mode.

    Args:
        run: of a net with a two-unit bottleneck.
        dataset: the data set it was trained on; two features, two classes.

    Raises:
        StudyError: the net has no two-unit bottleneck, or the data are not two classes in a plane.
    """
    if units(run.config.net) != 2 or not dataset.in_a_plane:
        raise StudyError(f"{run.folder} is no run of two classes in a plane with a 2-D bottleneck")
    inputs = input_plane(run, dataset)
    states = run.states(inputs.points, run.bottleneck.layer)
    hidden = ClassifiedPlane(
        lambda at: run.logits(at, run.bottleneck.layer)[:, 0],
        bounding_box(states),
        states,
        inputs.labels,
    )
    return inputs, hidden


def hidden_measures(run: Run, dataset: Dataset, resolution: int = 200) -> dict[str, float]:
    """Measure how a run lays out and tells apart its inputs, and its two-unit bottleneck's states.

    - ``hidden_low_confidence_area``: the share of the box of the hidden states' plane where
      0.25 < P(class 1) < 0.75, by ``resolution`` x ``resolution`` cells.
    - ``hidden_effective_rank``: that of the training points' centred states, the mean of both
      classes; 1 on a line, 2 alike in all directions. ``hidden_effective_rank_0`` and ``_1`` are
      those of the classes.
    - ``hidden_first_share``: the larger singular value of the centred states as a share of the
      sum of both, the mean of both classes; 1 on a line, 1/2 alike in all directions. Likewise
      ``hidden_first_share_0`` and ``_1``.
    - ``boundary_length``: length of the line P(class 1) = 1/2 in the box of the inputs, in
      diagonals of that box; all that there is of a net without a bottleneck.
    - ``hidden_boundary_length``: the same for the hidden states; NaN if they are all equal.

    Source: figures 1 and 2 of Verma et al. 2019 (arXiv 1806.05236) show such planes of spirals;
    the measures are this study's.

    Args:
        run: of a net with a two-unit bottleneck, or with none.
        dataset: the data set it was trained on; two features, two classes.
        resolution: cells along each side of a box.

    Raises:
        StudyError: the net has no two-unit bottleneck, or the data are not two classes in a plane.
    """
    if run.config.net.bottleneck is None:
        return {"boundary_length": boundary_length(input_plane(run, dataset), resolution)}
    inputs, hidden = input_and_hidden_plane(run, dataset)
    ranks, shares = np.transpose([class_flatness(hidden.points, hidden.labels, c) for c in (0, 1)])
    return {
        "hidden_low_confidence_area": low_confidence_share(hidden, resolution),
        "hidden_effective_rank": float(ranks.mean()),
        **{f"hidden_effective_rank_{label}": float(rank) for label, rank in enumerate(ranks)},
        "hidden_first_share": float(shares.mean()),
        **{f"hidden_first_share_{label}": float(share) for label, share in enumerate(shares)},
        "boundary_length": boundary_length(inputs, resolution),
        "hidden_boundary_length": boundary_length(hidden, resolution),
    }


def class_flatness(
    states: NDArray[np.floating], labels: NDArray[np.integer], label: int
) -> tuple[float, float]:
    """Compute how flat a class is: the effective rank of its centred states, and the first share.

    Args:
        states: (N, D) float, of all classes.
        labels: (N,) int.
        label: the class.

    Returns:
        The effective rank, in [1, D], and the largest singular value's share of their sum, in
        [1 / D, 1]; NaN if all states of the class are equal.

    Raises:
        ValueError: no state has the label.
    """
    values = singular_values(states, labels, label, "centred")
    total = values.sum()
    return effective_rank(values), float(values[0] / total) if total else float("nan")


def hidden_spectra(run: Run, dataset: Dataset) -> pd.DataFrame:
    """Tabulate the singular values of each class's hidden states of the training points.

    Args:
        run: of a net with a two-unit bottleneck.
        dataset: the data set it was trained on; two features, two classes.

    Returns:
        Columns digit (the class), index (1 or 2), value: the ``scale_free`` ones of
        `singular_values`, which do not depend on the unit of the hidden space.

    Raises:
        StudyError: as `input_and_hidden_plane`.
    """
    _, hidden = input_and_hidden_plane(run, dataset)
    table = spectra_table({"train": (hidden.points, hidden.labels)})
    scale_free = table[table["scaling"] == "scale_free"]
    return scale_free[["digit", "index", "value"]].reset_index(drop=True)


def uniform_states(run: Run, box: Box, n: int) -> NDArray[np.float32]:
    """Compute the hidden states of inputs drawn uniformly from ``box``.

    Args:
        run: of a net with a bottleneck.
        box: where the inputs lie.
        n: how many are drawn.

    Returns:
        (n, D) states, in eval mode.

    Raises:
        StudyError: the net has no bottleneck.

    Randomness: a generator of its own with a fixed seed, the same inputs for every run.
    """
    low, high = np.reshape(box, (2, 2)).T
    inputs = np.random.default_rng(0).uniform(low, high, (n, 2)).astype(np.float32)
    return run.states(inputs, run.bottleneck.layer)
