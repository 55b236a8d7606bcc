"""The whole of params.yaml: whether its sections fit each other, and what they would cost."""

import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from study.data.mnist import MnistConfig
from study.data.spirals import SpiralsConfig
from study.errors import StudyError
from study.measures.robustness_config import AttacksConfig, RobustnessConfig
from study.measures.states_config import StatesConfig
from study.params import ParamsError, Section, check, read_params
from study.training.config import (
    ComputeConfig,
    ExperimentConfig,
    KnownExperiments,
    MixupConfig,
    Seeds,
)

MEMORY = "MIXUP_MEMORY_GB"
GB = 10**9
YEAR = 366 * 24 * 3600
# Rough, and so small that no run needs less.
BYTES_PER_LAYER, BYTES_PER_ROW, BYTES_PER_STEP = 10_000, 500, 32
SECONDS_PER_STEP, FLOPS = 1e-4, 1e12
N_PREDICTED = 10_000
"""Samples that are predicted at once."""


class Study(Section):
    """All of params.yaml."""

    seeds: Seeds
    mixup: MixupConfig
    compute: ComputeConfig
    spirals: SpiralsConfig
    mnist: MnistConfig
    experiments: KnownExperiments
    states: StatesConfig | None = None
    robustness: RobustnessConfig | None = None


class Sizes(NamedTuple):
    """How much data an experiment has."""

    train: int
    rest: int
    """Points for testing and validation."""
    features: int
    classes: int


def read_study(path: Path | str = "params.yaml") -> Study:
    """Read all of params.yaml and check that it can run.

    Raises:
        ParamsError: a key is missing, unknown or has a value that cannot be used, by itself, with
            the data or for its cost.
    """
    study: Study = check(Study, read_params(path))
    if not any(experiment.all_methods for experiment in study.experiments.values()):
        raise ParamsError("experiments: plain and mixing name no method in any of them")
    limit, sizes = memory_limit(), dict[str, Sizes]()
    for name, experiment in study.experiments.items():
        place = f"experiments.{name}"
        found = _sizes(study, experiment, place)
        # Of data that no stage here makes, nothing is known before they are read.
        sizes[name] = found or Sizes(1, 1, 1, 2)
        for each in _by_method(experiment):
            _check_cost(each, sizes[name], limit, place)
        if found and study.states and name in study.states.features:
            _check_neighbours(study.states.neighbours, found, name)
    if study.states:
        study.states.check_fits(study.experiments)
    if study.robustness:
        _check_robustness(study, study.robustness, sizes, limit)
    return study


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
    recipe, hidden = experiment.training, experiment.net.hidden
    n, steps = sizes.train + sizes.rest, n_steps(experiment, sizes)
    return {
        # as they are in the file, and as float32
        "the data": n * (5 * sizes.features + 25),
        # float32 weights, their gradients and two moments
        "the net and its optimiser": 16 * n_weights(experiment, sizes)
        + BYTES_PER_LAYER * len(hidden),
        "the states of a batch": 8 * recipe.batch_size * sum(hidden),
        "the predictions": 16 * n * sizes.classes + 8 * min(n, N_PREDICTED) * max(hidden),
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
    """Count the steps of a run; the ragged rest of an epoch makes none."""
    recipe = experiment.training
    return recipe.steps or (recipe.epochs or 0) * (sizes.train // recipe.batch_size)


def n_weights(experiment: ExperimentConfig, sizes: Sizes) -> int:
    """Count the weights and biases of the net."""
    layers = [sizes.features, *experiment.net.hidden, sizes.classes]
    return sum((before + 1) * after for before, after in pairwise(layers))


def _sizes(study: Study, experiment: ExperimentConfig, place: str) -> Sizes | None:
    """Count what an experiment is trained and tested on; refuse what that is too little for."""
    recipe, key = experiment.training, f"{place}.training"
    match experiment.data, study.spirals.kind, study.mnist.source:
        case "spirals", "arms", _:
            per_class, features, classes = study.spirals.arms.n_samples // 2, 2, 2
        case "spirals", "mirrored", _:
            per_class, features, classes = study.spirals.mirrored.points_per_class, 2, 2
        case "mnist", _, "bundled":
            per_class, features, classes = 500, 784, 10
        case "mnist", _, "download":
            per_class, features, classes = 7_000, 784, 10
        case _:
            return None
    n_test = round(per_class * recipe.test_fraction)
    if (experiment.data, study.mnist.source) == ("mnist", "download"):
        n_test = 1_000
    if not 0 < n_test < per_class:
        none_left = "test" if n_test == 0 else "training"
        raise ParamsError(
            f"{key}.test_fraction leaves no {none_left} points of the {per_class} of a class, "
            f"got {recipe.test_fraction}"
        )
    n_validation = round((per_class - n_test) * recipe.validation_fraction)
    n_train = per_class - n_test - n_validation
    if n_train < 1 or (recipe.validation_fraction and not n_validation):
        none_left = "training" if n_train < 1 else "validation"
        raise ParamsError(
            f"{key}.validation_fraction leaves no {none_left} points of the {per_class - n_test} "
            f"of a class, got {recipe.validation_fraction}"
        )
    n_rest = n_test + n_validation
    sizes = Sizes(classes * n_train, classes * n_rest, features, classes)
    if recipe.batch_size > sizes.train:
        raise ParamsError(
            f"{key}.batch_size must be at most {sizes.train:,}, the number of training points, "
            f"got {recipe.batch_size}"
        )
    if recipe.evaluations > n_steps(experiment, sizes):
        raise ParamsError(
            f"{key}.evaluations must be at most {n_steps(experiment, sizes):,}, the number of "
            f"steps, got {recipe.evaluations}"
        )
    return sizes


def _check_cost(experiment: ExperimentConfig, sizes: Sizes, limit: int, place: str) -> None:
    parts = run_bytes(experiment, sizes)
    total, largest = sum(parts.values()), max(parts, key=lambda part: parts[part])
    if total > limit:
        raise ParamsError(
            f"{place}: a run needs about {total / GB:,.1f} GB of memory, most of it for {largest}, "
            f"and {limit / GB:,.1f} GB are allowed (all of this machine's, or {MEMORY})"
        )
    if (seconds := run_seconds(experiment, sizes)) > YEAR:
        raise ParamsError(
            f"{place}: a run takes at least {seconds / YEAR:,.0f} years, "
            f"{n_steps(experiment, sizes):,} steps of {sizes.train:,} points; 1 year is allowed"
        )


def _by_method(experiment: ExperimentConfig) -> list[ExperimentConfig]:
    """Give the experiment with the net of each of its methods."""
    nets = [experiment.net_of(method) for method in experiment.all_methods]
    return [experiment.model_copy(update={"net": net}) for net in nets]


def _check_neighbours(neighbours: int, sizes: Sizes, name: str) -> None:
    if neighbours > sizes.train:
        raise ParamsError(
            f"states.neighbours must be at most {sizes.train:,}, the number of training points of "
            f"{name}, got {neighbours}"
        )


def _check_robustness(
    study: Study, config: RobustnessConfig, sizes: Mapping[str, Sizes], limit: int
) -> None:
    attacks, changes = config.attacks, config.deformations
    n_changes = len(changes.rotations) + len(changes.shears) + len(changes.zooms)
    seconds = 0.0
    config.check_fits(study.experiments)
    for name in config.experiments:
        experiment, of = study.experiments[name], sizes[name]
        deformed = 4 * n_changes * of.rest * of.features  # float32, all at once
        if deformed > limit:
            raise ParamsError(
                f"robustness.deformations: {n_changes:,} of {of.rest:,} points of {name} need "
                f"about {deformed / GB:,.1f} GB of memory, and {limit / GB:,.1f} GB are allowed "
                f"(all of this machine's, or {MEMORY})"
            )
        each = (attack_seconds(one, of, attacks) for one in _by_method(experiment))
        seconds += len(study.seeds) * sum(each)
    if seconds > YEAR:
        raise ParamsError(
            f"robustness.attacks may take {seconds / YEAR:,.0f} years, {len(attacks.radii):,} "
            f"radii of {attacks.pgd_searches:,} searches of {attacks.pgd_steps:,} steps for each "
            "run; 1 year is allowed"
        )
