"""What the page needs to draw any run: its map, its bottleneck states and its curves, in few bytes.

A number is kept in as many bits as can be seen: probabilities in 8, places in a scatter in 8 a
coordinate, points of curves in four digits. Every experiment is compressed by itself, so that the
page unpacks no more than a reader looks at.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study.data.dataset import Dataset, load_dataset
from study.figures.style import (
    BINARY_COLOURS,
    CLASS_COLOURS,
    PROBABILITY_MAP,
    method_colours,
    method_label,
)
from study.measures import embedding
from study.measures.bottleneck import EMBEDDINGS, Embeddings
from study.measures.catalogue import label
from study.measures.plane import bounding_box, class_1_on_box, shows_inputs
from study.paths import RunKey, data_file, run_folder
from study.report.page import colour_on_page
from study.training.experiment import ExperimentConfig, runs_of
from study.training.scores import UNSURE

CELLS = 120
CURVES = ["train_loss", "test_loss", "train_accuracy", "test_accuracy"]
# What runs add to the page bounds how many can be chosen from.
MOST_SEEDS = 8
MOST_POINTS = 1000


def explorer(
    seeds: list[int],
    experiments: Mapping[str, ExperimentConfig],
    runs: pd.DataFrame,
    histories: pd.DataFrame,
    embeddings: Path = EMBEDDINGS,
) -> dict[str, Any]:
    """Collect what can be chosen and drawn, as plain lists, numbers and base64 text.

    Of each experiment, ``content`` is JSON and ``maps`` are the bytes of `_differences` of every
    run, in the order of the runs; both are compressed.

    Args:
        seeds: of the experiments that have none of their own; the first `MOST_SEEDS` of each can
            be chosen.
        experiments: those of the study.
        runs: ``metrics/runs.csv``.
        histories: the rows of every run's history.csv, with experiment, method and seed.
        embeddings: folder of the NPZ files of two-unit bottlenecks.

    Raises:
        StudyError: a run, a data set or an embedding is missing or damaged.
    """
    colours = method_colours(m for e in experiments.values() for m in e.all_methods)
    return {
        "levels": UNSURE,
        "palette": _base64(matplotlib.colormaps[PROBABILITY_MAP](range(256), bytes=True)[:, :3]),
        "class_colours": CLASS_COLOURS,
        "binary_colours": BINARY_COLOURS,
        "methods": {
            name: {"label": method_label(name), "colour": colour_on_page(colour, "")}
            for name, colour in colours.items()
        },
        "experiments": {
            name: _packed(
                _experiment(
                    *(name, experiment, experiment.seeds_or(seeds)[:MOST_SEEDS]),
                    *(runs, histories, embeddings),
                )
            )
            for name, experiment in experiments.items()
        },
    }


def _packed(content: dict[str, Any]) -> dict[str, str]:
    maps = [run.pop("map") for run in content["runs"].values() if "map" in run]
    packed = {"content": _gzip(json.dumps(content, allow_nan=False).encode())}
    return packed | ({"maps": _gzip(np.stack(maps).tobytes())} if maps else {})


def _gzip(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


def _experiment(
    name: str,
    experiment: ExperimentConfig,
    seeds: list[int],
    runs: pd.DataFrame,
    histories: pd.DataFrame,
    embeddings: Path,
) -> dict[str, Any]:
    keys = runs_of(name, experiment, seeds)
    of_run = _by_run(histories)
    measured = {
        key: dict(zip(rows["metric"], rows["value"], strict=True))
        for key, rows in _by_run(runs).items()
    }
    content: dict[str, Any] = {
        "methods": experiment.all_methods,
        "seeds": seeds,
        "metrics": _metric_labels(runs[runs["experiment"] == name]),
        "runs": {_name(key): {"curves": _curves(of_run[key])} for key in keys},
    }
    for key in keys:
        numbers = measured.get(key, {})
        content["runs"][_name(key)]["metrics"] = {
            metric: float(value) if np.isfinite(value) else None
            for metric, value in numbers.items()
        }
    dataset = load_dataset(data_file(experiment.data))
    if shows_inputs(experiment, dataset):
        _add_maps(content, keys, dataset)
    if of_two := [key for key in keys if embedding.applies(key, experiment)]:
        _add_states(content, of_two, Embeddings(name, embeddings))
    return content


def _by_run(table: pd.DataFrame) -> dict[RunKey, pd.DataFrame]:
    groups = table.groupby(list(RunKey._fields))
    return {RunKey(str(e), str(m), int(str(s))): rows for (e, m, s), rows in groups}


def _name(key: RunKey) -> str:
    return f"{key.method}/{key.seed}"


def _metric_labels(runs: pd.DataFrame) -> dict[str, str]:
    return {metric: label(metric) for metric in runs["metric"].unique()}


def _curves(history: pd.DataFrame) -> dict[str, list[float]]:
    columns = {"step": history["step"].tolist()}
    for quantity in CURVES:
        columns[quantity] = [float(f"{value:.4g}") for value in history[quantity]]
    return columns


def _add_maps(content: dict[str, Any], keys: list[RunKey], dataset: Dataset) -> None:
    """Add every run's P(class 1) over the box of the data, and every seed's training points."""
    from study.training.run import load_run  # torch

    box = bounding_box(dataset.inputs)
    content["map"] = {"box": box, "cells": CELLS, "points": {}}
    for key in keys:
        trained = load_run(run_folder(key))
        content["runs"][_name(key)]["map"] = _differences(
            np.rint(255 * class_1_on_box(trained, box, CELLS))
        )
        if str(key.seed) not in content["map"]["points"]:
            split = trained.split(dataset)
            content["map"]["points"][str(key.seed)] = {
                "places": np.round(split.train_inputs.numpy().astype(float), 3).tolist(),
                "labels": split.train_labels.tolist(),
            }


def _differences(image: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Take from each pixel what its neighbours let expect, modulo 256; that compresses better."""
    across = np.diff(np.diff(image, axis=0, prepend=0), axis=1, prepend=0)
    return across.astype(int).astype(np.uint8)


def _add_states(content: dict[str, Any], keys: list[RunKey], kept: Embeddings) -> None:
    """Add every run's bottleneck states of its test data, centred, on a scale of its own."""
    for key in keys:
        states, labels = (points[:MOST_POINTS] for points in kept.states(key, "test"))
        extent = float(np.ptp(states, axis=0).max()) or 1.0
        low = (states.min(axis=0) + states.max(axis=0) - extent) / 2
        content["runs"][_name(key)]["states"] = {
            "places": _base64(np.rint(255 * (states - low) / extent)),
            "labels": _base64(labels),
            "low": [float(f"{value:.4g}") for value in low],
            "extent": float(f"{extent:.4g}"),
        }


def _base64(values: NDArray[Any]) -> str:
    return base64.b64encode(np.asarray(values).astype(np.uint8).tobytes()).decode()
