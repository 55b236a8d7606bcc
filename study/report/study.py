"""What was run, in words: data, seeds, alpha, nets, training and what sets the methods apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from study.data.dataset import Dataset
from study.data.spirals import INNER_RADIUS, OUTER_RADIUS, SPIRALS, SpiralsConfig
from study.figures.style import method_label
from study.measures.plane import shows_inputs
from study.paths import RunKey
from study.report.findings import listed
from study.training.config import Choice, MethodConfig, NetConfig
from study.training.experiment import ExperimentConfig

OWN = "own"
"""The name of one's own data."""


def facts(
    seeds: list[int],
    alpha: float,
    threads: int,
    experiments: Mapping[str, ExperimentConfig],
    datasets: Mapping[str, Dataset],
    sources: Mapping[str, str],
) -> list[tuple[str, str]]:
    """List name and text of everything that the numbers follow from.

    Args:
        seeds: the study's.
        alpha: of the Beta(alpha, alpha) that every mixing run draws lam from.
        threads: torch threads of a run.
        experiments: the study's.
        datasets: by name.
        sources: where the data sets come from, by name.
    """
    data = [(f"Data: {name}", _data(name, sources.get(name), of)) for name, of in datasets.items()]
    nets = [
        (f"Experiment: {name}", _experiment(of, datasets[of.data]))
        for name, of in experiments.items()
    ]
    own = any(method.alpha for of in experiments.values() for method in of.methods.values())
    but = ", unless the method has an alpha of its own" if own else ""
    return [
        *data,
        (
            "Seeds",
            f"{_listed_seeds(seeds)} (each decides split, initial weights and batches)",
        ),
        (
            "alpha",
            f"{alpha:g}: lam is drawn from Beta({alpha:g}, {alpha:g}) wherever a method mixes{but}",
        ),
        *nets,
        *left_out(experiments, datasets),
        ("Threads of a run", str(threads)),
    ]


def source_of_data(name: str, section: dict[str, Any]) -> str:
    """Say in a few words where a data set comes from."""
    if name in SPIRALS:
        return f"kind {section['kind']}, seed {section['seed']}"
    if name == "mnist":
        return f"source {section['source']}"
    return str(section.get("path") or section.get("name"))


def left_out(
    experiments: Mapping[str, ExperimentConfig], datasets: Mapping[str, Dataset]
) -> list[tuple[str, str]]:
    """Say what cannot be drawn of one's own data and net, and why."""
    found = []
    for name, experiment in experiments.items():
        if experiment.data != OWN:
            continue
        parts = []
        if not shows_inputs(experiment, datasets[experiment.data]):
            parts.append(
                "maps of the inputs, for which they must lie in a plane, of two classes, and get "
                "into a perceptron as they are"
            )
        if not experiment.net.bottleneck:
            parts.append("pictures and spectra of a bottleneck, which this net has not")
        if parts:
            found.append((f"Left out: {name}", "; ".join(parts)))
    return found


def spirals_in_words(config: SpiralsConfig) -> str:
    """Describe the points that `study.data.spirals.generate` makes."""
    if config.kind == "arms":
        arms = config.arms
        turns = f"{arms.n_cycles:g} turn{'s' * (arms.n_cycles != 1)}"
        noise = f"Gaussian noise of standard deviation {arms.noise_std:g} is on each coordinate."
        return (
            f"{arms.n_samples:,} points, half on each of two arms. An arm makes {turns} around the "
            f"origin while its radius grows from {INNER_RADIUS:g} to {OUTER_RADIUS:g}; the second "
            "is the first, turned by half a turn. "
        ) + (noise if arms.noise_std else "There is no noise.")
    spiral = config.mirrored
    noise = f"with noise uniform in [0, {spiral.noise:g}) on each coordinate"
    return (
        f"{2 * spiral.points_per_class:,} points, half in each class: a spiral of up to "
        f"{spiral.max_angle:g} degrees, whose radius is its angle in radians, "
        f"{noise if spiral.noise else 'without noise'}, and its mirror image through the origin."
    )


def method_rows(experiments: Mapping[str, ExperimentConfig]) -> list[tuple[str, str, str]]:
    """List experiment, method and what sets the method apart, of every method."""
    return [
        (name, method_label(method), _settings(experiment.methods[method]))
        for name, experiment in experiments.items()
        for method in experiment.all_methods
    ]


def timed(seconds: Mapping[RunKey, float]) -> dict[str, Any]:
    """Sum up the training times that are known; empty where none is."""
    if not seconds:
        return {}
    total = pd.Timedelta(seconds=round(sum(seconds.values())))
    return {"total": str(total).removeprefix("0 days "), "known": len(seconds)}


def _data(name: str, source: str | None, dataset: Dataset) -> str:
    count, *shape = dataset.inputs.shape
    kinds = "labels" if dataset.multi_label else "classes"
    size = (
        f"{count:,} samples of {' x '.join(map(str, shape))} numbers in {dataset.n_classes} {kinds}"
    )
    n_groups = len(np.unique(dataset.group))
    if name == OWN and n_groups < count:
        size += f", in {n_groups:,} groups that are on one side of each split"
    return f"{source}; {size}" if source else size


def _experiment(experiment: ExperimentConfig, dataset: Dataset) -> str:
    net, recipe = experiment.net, experiment.training
    length = f"{recipe.steps:,} steps" if recipe.steps else f"{recipe.epochs} epochs"
    decay = f", divided by ten after {listed(list(map(str, recipe.decay_at)))}"
    test, kept = recipe.test_fraction, recipe.validation_fraction
    held_out = "" if dataset.official_test.any() else f", {100 * test:g} % of it for testing"
    if recipe.disjoint:
        held_out = (
            f", of which each seed has {recipe.disjoint:,} of its own and the same for testing"
        )
    held_out += f", {100 * kept:g} % of the rest for choosing" if kept else ""
    if recipe.schedule == "cosine":
        decay = ", falling as half a cosine"
    elif not recipe.decay_at:
        decay = ""
    sgd = f", SGD of momentum {recipe.momentum:g}" if recipe.optimiser == "sgd" else ""
    changes = "; inputs standardised" if recipe.standardise else ""
    changes += f"; augmented by {recipe.augment}" if recipe.augment else ""
    return (
        f"data {experiment.data}{held_out}{changes}; {_net(net)}; {length} of {recipe.batch_size} "
        f"samples, learning rate {recipe.learning_rate:g}{decay}{sgd}"
        + (f"; seeds {_listed_seeds(experiment.seeds)}" if experiment.seeds else "")
    )


def _listed_seeds(seeds: list[int]) -> str:
    if len(seeds) > 2 and seeds == [*range(seeds[0], seeds[0] + len(seeds))]:
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))


def _net(net: NetConfig) -> str:
    if net.kind == "own":
        return f"the net of {net.module}"
    if net.kind in ("cnn", "resnet18"):
        return f"{net.kind} of {net.width} channels in its first layer"
    narrow = f" (the {net.bottleneck.size} are the bottleneck)" if net.bottleneck else ""
    embedded = "categories embedded; " if net.kind == "tabular" else ""
    return f"{embedded}hidden layers of {', '.join(map(str, net.hidden_sizes))} units{narrow}"


def _settings(settings: MethodConfig) -> str:
    parts = []
    if settings.weight_decay:
        parts.append(f"weight decay {settings.weight_decay:g}")
    if settings.dropout:
        parts.append(f"dropout {settings.dropout:g} after every hidden layer")
    if settings.batch_norm:
        parts.append("batch norm in every hidden layer")
    if settings.input_noise:
        parts.append(f"noise of standard deviation {settings.input_noise:g} on the input")
    if settings.bottleneck:
        parts.append(f"a bottleneck of {settings.bottleneck} units")
    if settings.early_stopping:
        parts.append("the weights of the least validation loss")
    if settings.choose:
        parts.append(_choice(settings.choose))
    elif settings.eligible == [0]:
        parts.append("mixes the input (k = 0)")
    elif settings.eligible:
        where = listed(list(map(str, settings.eligible)))
        parts.append(f"mixes at a layer drawn for every batch from k = {where}")
    if settings.alpha:
        parts.append(f"alpha {settings.alpha:g}")
    if settings.mixes != "both":
        parts.append(f"mixes {settings.mixes} alone")
    if settings.stop_gradient:
        parts.append("no gradient before the mixed state")
    return "; ".join(parts) or "nothing: plain training"


def _choice(choose: Choice) -> str:
    lists = {name.replace("_", " "): of for name, of in choose.model_dump().items() if of}
    words = [f"{name} from {', '.join(map(_value, of))}" for name, of in lists.items()]
    return f"chooses {listed(words)} by the least validation loss"


def _value(value: float | list[int | str]) -> str:
    return " + ".join(map(str, value)) if isinstance(value, list) else f"{value:g}"
