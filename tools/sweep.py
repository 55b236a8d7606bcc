"""Sweep a parameter, and draw metrics against it: ``python -m tools sweep mixup.alpha 0.4 1``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from dvc.repo import Repo

from study.code import stage_digests
from study.command import run
from study.errors import StudyError
from study.figures.style import method_colours, save
from study.figures.sweeps import draw_sweep, moved
from study.params import did_you_mean, dotted, read_params, shown
from study.paths import SUMMARY_TABLE
from study.revisions import (
    WORKSPACE,
    Revision,
    experiments_of,
    find_revision,
    params_at,
    repository,
    table_at,
)
from study.tables import SUMMARY
from study.validation import refused

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
        StudyError: the base does not hold the study, or not the parameter, or it is no number.
    """
    found, left_out = [], []
    params = params_at(find_revision(repo, base))
    if not params:
        raise StudyError(
            f"{base} does not hold this study, and experiments start from there: commit it first "
            "(git add . && git commit)"
        )
    take(params, param)
    for revision, state in experiments_of(repo, base):
        if state not in FINISHED:  # it still holds the results that it started from
            left_out.append(f"{revision.name} is {str(state).lower()}")
            continue
        params = params_at(revision)
        try:
            at = take(params, param)
            summary = table_at(revision, SUMMARY_TABLE, SUMMARY)
        except StudyError as error:
            left_out.append(str(error))
            continue
        found.append(Point(revision.name, at, as_text(params), summary))
    return found, left_out


def take(params: dict[str, Any], key: str) -> float:
    """Take the number under ``key``, written with dots, out of nested params."""
    section, last = place_of(params, key)
    value = section.pop(last)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StudyError(f"{key} is not a number: {shown(value)}")
    return float(value)


def place_of(params: dict[str, Any], key: str) -> tuple[dict[str, Any], str]:
    """Find the section that holds ``key``, written with dots, and its name there."""
    *path, last = key.split(".")
    section: Any = params
    for part in (*path, last):
        if not isinstance(section, dict) or part not in section:
            near = did_you_mean(part, section) if isinstance(section, dict) else ""
            raise StudyError(f"{dotted(*key.split('.'))} is not in params.yaml{near}")
        found, section = section, section[part]
    return found, last


def as_text(params: dict[str, Any]) -> str:
    return json.dumps(params, sort_keys=True, default=str)


def others_here(param: str) -> str:
    """Give all parameters but one as an experiment would have them that is run now."""
    params = params_at(Revision(WORKSPACE))
    take(params, param)
    return as_text(params | {k: v for k, v in stage_digests().items() if k in params})


def run_experiments(param: str, values: Sequence[float]) -> None:
    """Run an experiment for each value, apart from this folder's files, which stay as they are.

    Raises:
        StudyError: a value cannot be used, which is found before any is run; one fails.
    """
    for value in values:
        check_value(param, value)
    for n, value in enumerate(values, 1):
        words = ["exp", "run", "--temp", "-S", f"{param}={value:.15g}"]
        print(f"\nExperiment {n} of {len(values)}: dvc {' '.join(words)}", flush=True)
        done = subprocess.run([sys.executable, "-m", "dvc", *words], check=False)
        if done.returncode:
            raise StudyError(f"the experiment with {param} = {value:g} failed, see above")


def check_value(param: str, value: float) -> None:
    """Refuse what the stage `validate` would refuse."""
    params = read_params()
    section, last = place_of(params, param)
    section[last] = int(value) if isinstance(section[last], int) and value % 1 == 0 else value
    if why := refused(yaml.safe_dump(params)):
        raise StudyError(why)


def largest_sweep(found: list[Point], others: str | None = None) -> list[Point]:
    """Choose the points that differ in the parameter only: of such groups that of most values.

    They come in the order of their values. Of two points with one value the first counts, which
    DVC lists first because it is newer.

    Args:
        found: the points.
        others: of the group that is to be chosen, if it is known.
    """
    groups: dict[str, dict[float, Point]] = {}
    for point in found:
        if others in (None, point.others):
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
            f"name those to run, as in `sweep {param} 1 2`"
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
        description="Run an experiment for each value that has no results yet, and draw metrics "
        "against the parameter. Without values, draw the experiments that there are.",
    )
    parser.add_argument("param", help="key of params.yaml, such as mixup.alpha")
    parser.add_argument("values", nargs="*", default=[], type=float, help="such as 0.2 0.4 1")
    parser.add_argument("--metric", action="append", help=f"default: {' and '.join(METRICS)}")
    parser.add_argument("--base", default="HEAD", help="commit they started from; default: HEAD")
    asked = parser.parse_intermixed_args()
    if asked.values and asked.base != "HEAD":
        parser.error("experiments start from HEAD: name either values or --base")
    with repository() as repo:
        found, left_out = points(repo, asked.param, asked.base)
        before = find_revision(repo, "HEAD").commit
    others = others_here(asked.param) if asked.values else None
    known = {point.at for point in found if point.others == others}
    if missing := sorted(set(asked.values) - known):
        run_experiments(asked.param, missing)
        with repository() as repo:
            if find_revision(repo, "HEAD").commit != before:
                raise StudyError(
                    "HEAD moved while the experiments ran, and each belongs to the commit that it "
                    "started from: run the sweep again, which runs those that are missing"
                )
            found, left_out = points(repo, asked.param, asked.base)
    swept = largest_sweep(found, others)
    left_out += [
        f"{point.name} " + ("repeats a value" if same else "differs in other params too")
        for point in found
        if point not in swept
        for same in [point.others in {p.others for p in swept}]
    ]
    for said in left_out:
        print(f"left out: {said}")
    path = draw(swept, asked.param, asked.metric or list(METRICS))
    print(f"{asked.param} = " + ", ".join(f"{p.at:g} ({p.name})" for p in swept))
    print(f"The figure: {path}")


if __name__ == "__main__":
    run(main)
