"""Print DVC's experiments side by side: what each changed, and the headline numbers of each."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pandas as pd

from study.command import run
from study.errors import StudyError
from study.paths import HEADLINE_JSON
from study.revisions import WORKSPACE, Revision, changes_this_study

COLUMNS = 120
PARAMS = "params.yaml"
KINDS = (PARAMS, HEADLINE_JSON)
NO_VALUE = "-"


def side_by_side(shown: list[dict[str, Any]]) -> pd.DataFrame:
    """Set out what ``dvc exp show --json`` tells: a column a revision, a row a param or metric.

    Params that all have in common are left out, and experiments of other studies.
    """
    found = dict(_revisions(shown))
    params, metrics = (_table({name: of[kind] for name, of in found.items()}) for kind in KINDS)
    differ = params.map(str).nunique(axis="columns") > 1
    return pd.concat([params[differ], metrics]).fillna(NO_VALUE)


def _table(columns: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Make a table whose rows are in the order of the first column that has them."""
    rows = list(dict.fromkeys(key for column in columns.values() for key in column))
    return pd.DataFrame(
        {name: pd.Series(of, dtype=object, index=rows) for name, of in columns.items()}
    )


def _revisions(shown: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    for commit in shown:
        tips = [of["revs"][0] for of in commit["experiments"] or []]
        tips = [tip for tip in tips if tip["rev"] != WORKSPACE]  # one that still runs there
        base, *found = (Revision(one["rev"], one["rev"]) for one in (commit, *tips))
        ours = [tip for tip, one in zip(tips, found, strict=True) if changes_this_study(base, one)]
        for revision in (commit, *ours):
            if data := revision["data"]:
                name = revision["name"] or revision["rev"]
                params, metrics = (
                    data["params"].get(PARAMS, {}),
                    data["metrics"].get(HEADLINE_JSON, {}),
                )
                yield (
                    name if name in (revision["name"], WORKSPACE) else name[:7],
                    {PARAMS: _flat(params), HEADLINE_JSON: _flat(metrics)},
                )


def _flat(file: dict[str, Any]) -> dict[str, Any]:
    content = file.get("data") or {}
    return dict(_leaves(content)) if isinstance(content, dict) else {}


def _leaves(content: dict[str, Any], *path: str) -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _leaves(value, *path, str(key))
        else:
            yield ".".join([*path, str(key)]), value


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="Further words go to `dvc exp show`, such as --all-commits or --hide-workspace.",
    )
    _, words = parser.parse_known_args()
    command = [sys.executable, "-m", "dvc", "exp", "show", "--json", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["dvc exp show failed"]
        raise StudyError(lines[0].removeprefix("ERROR: ").removeprefix("error: "))
    table = side_by_side(json.loads(done.stdout))
    if table.empty:
        raise StudyError(f"no revision shown has {HEADLINE_JSON}: run `dvc repro` to make it")
    print(table.to_string(line_width=COLUMNS))


if __name__ == "__main__":
    run(main)
