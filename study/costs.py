"""What runs cost at least: memory and time, as far as params.yaml tells."""

import os
from itertools import pairwise
from typing import NamedTuple

from study.errors import StudyError
from study.measures.config import AttacksConfig
from study.training.experiment import ExperimentConfig

MEMORY = "MIXUP_MEMORY_GB"
GB = 10**9
# Rough, and so small that no run needs less.
BYTES_PER_LAYER, BYTES_PER_ROW, BYTES_PER_STEP = 10_000, 500, 32
SECONDS_PER_STEP, FLOPS = 1e-4, 1e12
N_PREDICTED = 10_000
"""Samples that are predicted at once."""


class Sizes(NamedTuple):
    """How much data an experiment has."""

    train: int
    rest: int
    """Points for testing and validation."""
    features: int
    classes: int


def memory_limit() -> int:
    """Give the bytes that a run may need: MIXUP_MEMORY_GB, or the memory of this machine.

    Raises:
        StudyError: MIXUP_MEMORY_GB is not a number > 0.
    """
    if text := os.environ.get(MEMORY):
        try:
            limit = float(text)
        except ValueError:
            limit = 0.0
        if not 0 < limit < GB:
            raise StudyError(f"{MEMORY} must be a number of gigabytes > 0, got {text!r}")
        return int(limit * GB)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not every system can say
        return 16 * GB


def run_bytes(experiment: ExperimentConfig, sizes: Sizes) -> dict[str, int]:
    """Estimate the memory that one run needs at least, by what it is needed for.

    Args:
        experiment: its net and its recipe.
        sizes: its data.

    Returns:
        Bytes of each part.
    """
    recipe, hidden = experiment.training, experiment.net.hidden_sizes
    n, steps = sizes.train + sizes.rest, n_steps(experiment, sizes)
    widest = max(hidden, default=0)
    return {
        # as they are in the file, and as float32
        "the data": n * (5 * sizes.features + 25),
        # float32 weights, their gradients and two moments
        "the net and its optimiser": 16 * n_weights(experiment, sizes)
        + BYTES_PER_LAYER * len(hidden),
        "the states of a batch": 8 * recipe.batch_size * sum(hidden),
        "the predictions": 16 * n * sizes.classes + 8 * min(n, N_PREDICTED) * widest,
        "the history": BYTES_PER_ROW * recipe.evaluations
        + BYTES_PER_STEP * steps // recipe.evaluations,
    }


def run_seconds(experiment: ExperimentConfig, sizes: Sizes) -> float:
    """Estimate how long one run takes at least, on a fast core."""
    flops_per_step = 6 * n_weights(experiment, sizes) * experiment.training.batch_size
    return n_steps(experiment, sizes) * (SECONDS_PER_STEP + flops_per_step / FLOPS)


def attack_seconds(experiment: ExperimentConfig, sizes: Sizes, attacks: AttacksConfig) -> float:
    """Estimate how long the attacks on one run may take, on a fast core.

    That is, if samples resist each search: those that do not are not searched again.
    """
    flops_per_step = 6 * n_weights(experiment, sizes) * min(attacks.n_samples, sizes.rest)
    steps = len(attacks.radii) * attacks.pgd_searches * attacks.pgd_steps
    return steps * (SECONDS_PER_STEP + flops_per_step / FLOPS)


def n_steps(experiment: ExperimentConfig, sizes: Sizes) -> int:
    """Count the steps of a run."""
    return experiment.training.n_steps(sizes.train)


def n_weights(experiment: ExperimentConfig, sizes: Sizes) -> int:
    """Count the weights and biases of an MLP; of other nets nothing is known."""
    if not experiment.net.hidden_sizes:
        return 0
    layers = [sizes.features, *experiment.net.hidden_sizes, sizes.classes]
    return sum((before + 1) * after for before, after in pairwise(layers))
