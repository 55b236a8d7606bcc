"""Draw metrics against a parameter: ``python -m tools.sweep mixup.alpha``."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from dvc.repo import Repo

from study.command import run
from study.errors import StudyError
from study.figures.style import method_colours, save
from study.figures.sweep import draw_sweep, moved
from study.params import dotted, shown
from study.revisions import (
    experiments_of,
    find_revision,
    params_at,
    repository,
    table_at,
)
from study.tables import SUMMARY

METRICS = ("test_accuracy", "test_nll")
FINISHED = (None, "Success")


@dataclass(frozen=True, eq=False)
class Point:
    """A finished experiment, or the commit that experiments started from."""

    name: str
    at: float
    """The value of the parameter."""
    others: str
    """All other parameters, as text to compare."""
    summary: pd.DataFrame


def points(repo: Repo, param: str, base: str) -> tuple[list[Point], list[str]]:
    """Read every row of ``dvc exp show`` that has results: the base and its experiments.

    Returns:
        The points in DVC's order, the base first; and why each other row is none.

    Raises:
        StudyError: the base does not have the parameter, or it is not a number there.
    """
    found, left_out = [], []
    take(params_at(find_revision(repo, base)), param)
    for revision, state in experiments_of(repo, base):
        if state not in FINISHED:  # it still holds the results that it started from
            left_out.append(f"{revision.name} is {str(state).lower()}")
            continue
        params = params_at(revision)
        try:
            at = take(params, param)
            summary = table_at(revision, "metrics/summary.csv", SUMMARY)
        except StudyError as error:
            left_out.append(str(error))
            continue
        others = json.dumps(params, sort_keys=True, default=str)
        found.append(Point(revision.name, at, others, summary))
    return found, left_out


def take(params: dict[str, Any], key: str) -> float:
    """Take the number under ``key``, written with dots, out of nested params."""
    *path, last = key.split(".")
    section: Any = params
    for part in path:
        section = section.get(part) if isinstance(section, dict) else None
    if not isinstance(section, dict) or last not in section:
        raise StudyError(f"{dotted(*key.split('.'))} is not in params.yaml")
    value = section.pop(last)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StudyError(f"{key} is not a number: {shown(value)}")
    return float(value)


def largest_sweep(found: list[Point]) -> list[Point]:
    """Choose the points that differ in the parameter only: of such groups that of most values.

    They come in the order of their values. Of two points with one value the first counts, which
    DVC lists first because it is newer.
    """
    groups: dict[str, dict[float, Point]] = {}
    for point in found:
        groups.setdefault(point.others, {}).setdefault(point.at, point)
    largest: dict[float, Point] = max(groups.values(), key=len, default={})
    return [largest[at] for at in sorted(largest)]


def draw(swept: list[Point], param: str, metrics: list[str]) -> Path:
    """Draw the experiments in which the parameter changes anything.

    Raises:
        StudyError: there are fewer than two values, no number changes, or a metric is unknown.
    """
    if len(swept) < 2:
        values = " and ".join(f"{point.at:g}" for point in swept) or "no value"
        raise StudyError(
            f"a sweep needs at least two values of {param} with results, found only {values}: "
            f"run `dvc exp run --queue -S '{param}=...'` and `dvc queue start`"
        )
    summaries = pd.concat([point.summary.assign(at=point.at) for point in swept])
    if unknown := sorted(set(metrics) - set(summaries["metric"])):
        raise StudyError(f"no run has the metric {', '.join(unknown)}")
    changed = {experiment for experiment, _ in moved(summaries)}
    if not changed:
        raise StudyError(f"no number depends on {param}")
    shown = summaries[summaries["experiment"].isin(changed)]
    path = Path("report") / f"sweep_{param}.png"
    save(draw_sweep(shown, param, metrics, method_colours(summaries["method"].unique())), path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Draw metrics against a parameter that experiments were run with: "
        "dvc exp run --queue -S 'mixup.alpha=0.1,0.4' and dvc queue start make some."
    )
    parser.add_argument("param", help="key of params.yaml, such as mixup.alpha")
    parser.add_argument("--metric", action="append", help=f"default: {' and '.join(METRICS)}")
    parser.add_argument("--base", default="HEAD", help="commit they started from; default: HEAD")
    asked = parser.parse_args()
    with repository() as repo:
        found, left_out = points(repo, asked.param, asked.base)
    swept = largest_sweep(found)
    left_out += [
        f"{point.name} " + ("repeats a value" if same else "differs in other params too")
        for point in found
        if point not in swept
        for same in [point.others == swept[0].others]
    ]
    for said in left_out:
        print(f"left out: {said}")
    path = draw(swept, asked.param, asked.metric or list(METRICS))
    print(f"{asked.param} = " + ", ".join(f"{p.at:g} ({p.name})" for p in swept))
    print(f"The figure: {path}")


if __name__ == "__main__":
    run(main)
