"""What a person reads who makes a study: what it is of, and how to say more of the data."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import numpy as np
import yaml

from study.data.dataset import Dataset
from study.data.labels import class_members
from study.data.own import Description
from study.data.own_config import MISSING
from study.errors import StudyError
from study.new_study.values import StartingValues

FEWEST_TESTED = 5
"""Test samples of a class of which fewer tell little."""
SHARE_REPEATED = 0.01
"""Of the samples; of fewer that are there twice nothing is said."""
OPTIONS = {
    "path": "--data PATH",
    "name": "--data NAME",
    "target": "--target COLUMN",
    "group": "--group COLUMN",
    "format": "--own format=csv",
    "drop": "--own 'drop=[COLUMN]'",
    "categories": "--own 'categories=[COLUMN]'",
    "keep": "--own 'keep=[COLUMN]'",
    "missing": f"--own 'missing={json.dumps([*MISSING, 'TEXT'])}'",
    "separator": "--own 'separator=;'",
    "decimal": "--own decimal=,",
    "encoding": "--own encoding=latin-1",
    "most_categories": "--own most_categories=200",
    "smallest_class": "--own smallest_class=3",
    "image_size": "--own image_size=32",
    "colour": "--own colour=grey",
}
"""Key of section ``own`` of params.yaml -> an example of the option that sets it."""


def as_options(error: str) -> str:
    """Say which options set the keys that an error names, as ``own.decimal``; "" for none."""
    keys = dict.fromkeys(re.findall(r"\bown\.([a-z_]+)", error))
    options = [OPTIONS[key] for key in keys if key in OPTIONS]
    return f". On the command line: {' or '.join(options)}" if options else ""


def without_commas(targets: list[str], error: str) -> str:
    """Say how to write several columns, where an error is about one whose name has a comma."""
    if "own.target: there is no column" not in error or "," not in " ".join(targets):
        return ""
    names = " ".join(targets).replace(",", " ").split()
    return f"; for several columns write --target {shlex.join(names)}"


def own_key(text: str) -> tuple[str, Any]:
    """Read KEY=VALUE; VALUE is YAML, but that a sign alone, such as a comma, is itself."""
    key, is_there, value = text.partition("=")
    if not is_there:
        raise StudyError(f"--own {text} must be KEY=VALUE, as in drop=[id]")
    if len(value) == 1 and not value.isalnum():
        return key, value
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise StudyError(f"--own {text}: {value} is no YAML, as in drop=[id]") from error


def in_words(about: Description, values: StartingValues, n_seeds: int) -> str:
    """Say what the study is of, and how much it trains."""
    shares = ", ".join(f"{name} {n:,}" for name, n in list(about.counts.items())[:10])
    shape = " x ".join(map(str, about.input_shape))
    n_trained = n_seeds * (1 + 1 + 4 + 1 + 1 + len(values.alphas) * len(values.choices))
    return (
        f"{about.n_samples:,} samples of {shape} inputs; {shares}. The net: "
        f"{values.net.get('module', values.net.get('kind'))}. {n_seeds} seeds, six methods: "
        f"{6 * n_seeds:,} runs, {n_trained:,} trainings with those tried for a choice, of "
        f"{values.epochs} epochs."
    )


def cautions(dataset: Dataset, about: Description, test_fraction: float) -> list[str]:
    """Say what may spoil the answer.

    Args:
        dataset: the data.
        about: their description.
        test_fraction: of each class, unless there is an official test set.
    """
    said = [_of_few_tested(dataset, about, test_fraction)]
    if (n := _repeated_apart(dataset)) > SHARE_REPEATED * about.n_samples:
        said.append(
            f"{n:,} samples have the inputs of an earlier one, and may be "
            "on both sides of a split: if they are copies, remove them, or give a group"
        )
    return [text for text in said if text]


def _of_few_tested(dataset: Dataset, about: Description, test_fraction: float) -> str:
    """Say so where the smallest class has too few test samples to tell much; else ""."""
    official = dataset.official_test
    tested = {
        name: int(members[official].sum()) if official.any() else test_fraction * members.sum()
        for name, members in class_members(dataset, about.class_names).items()
    }
    name = min(tested, key=tested.__getitem__)
    n = int(np.rint(tested[name]))
    if n >= FEWEST_TESTED:
        return ""
    return (
        f"{name} has {n} test sample{'s' * (n != 1)} on each seed, of which nobody can tell much: "
        "expect open questions, or add samples"
    )


def _repeated_apart(dataset: Dataset) -> int:
    """Count the samples with the inputs of an earlier one of another group."""
    groups: dict[bytes, set[int]] = {}
    n = 0
    for sample, group in zip(dataset.inputs, dataset.group.tolist(), strict=True):
        earlier = groups.setdefault(sample.tobytes(), set())
        n += bool(earlier - {group})
        earlier.add(group)
    return n
