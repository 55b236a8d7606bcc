"""Compare two revisions on one page: ``python -m tools compare [REV_A [REV_B]]``."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any

from dvc.repo import Repo

from study.command import run
from study.errors import StudyError
from study.files import write_text
from study.paths import CLAIMS_TABLE, MEANS_JSON, RUNS_TABLE, VERDICTS_JSON
from study.place import beside_code
from study.report.comparison import changes, glance, verdicts
from study.report.page import render_page
from study.revisions import (
    WORKSPACE,
    Revision,
    code_that_differs,
    difference,
    figures_of,
    find_revision,
    repository,
    stages_to_run,
    table_at,
)
from study.tables import MEASURES

PAGE = Path("report/compare.html")
PARAMS = "params.yaml"


def content(repo: Repo, a: Revision, b: Revision) -> dict[str, Any]:
    """Gather what the page shows of two revisions.

    Raises:
        StudyError: they are the same commit, or one of them holds no results.
    """
    if a.commit == b.commit:
        raise StudyError(f"nothing to compare: {a.name} and {b.name} are the same ({a.about})")
    runs = [table_at(revision, RUNS_TABLE, MEASURES) for revision in (a, b)]
    metrics = difference(
        repo.metrics.diff(a.in_dvc, b.in_dvc, all=True, targets=[MEANS_JSON, VERDICTS_JSON])
    )
    params = difference(repo.params.diff(a.in_dvc, b.in_dvc)).get(PARAMS, {})
    found = changes(metrics.get(MEANS_JSON, {}), *runs)
    claims = verdicts(metrics.get(VERDICTS_JSON, {}), {**sentences(a), **sentences(b)})
    code = code_that_differs(a, b)
    return {
        "a": a,
        "b": b,
        "out_of_date": stages_to_run(repo) if WORKSPACE in (a.name, b.name) else [],
        "changes": found,
        "verdicts": claims,
        "params": dict(sorted(params.items())),
        "code": code,
        "figures": figures_that_differ(a, b),
        "glance": list(glance(found, claims, params, code)),
        "command": shlex.join(["python", beside_code("tools"), "compare", a.name, b.name]),
    }


def sentences(revision: Revision) -> dict[str, str]:
    """Read what the claims of a revision's ledger say; nothing if it has no ledger."""
    try:
        ledger = table_at(revision, CLAIMS_TABLE, ["id", "sentence"])
    except StudyError:
        return {}
    return dict(zip(ledger["id"], ledger["sentence"], strict=True))


def figures_that_differ(a: Revision, b: Revision) -> dict[str, tuple[str, str]]:
    """Collect the figures that are not the same in both; an empty one is absent."""
    of_a, of_b = figures_of(a), figures_of(b)
    pairs = {name: (of_a.get(name, ""), of_b.get(name, "")) for name in sorted(of_a | of_b)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=f"Write {PAGE}: what changed from one revision to another.",
        epilog="A revision is a commit, branch or tag, a DVC experiment, or 'workspace'.",
    )
    parser.add_argument("rev_a", nargs="?", default="HEAD", help="default: HEAD")
    parser.add_argument("rev_b", nargs="?", default=WORKSPACE, help="default: the workspace")
    asked = parser.parse_args()
    with repository() as repo:
        a, b = (find_revision(repo, name) for name in (asked.rev_a, asked.rev_b))
        found = content(repo, a, b)
    page = render_page("compare.html.j2", **found)
    write_text(PAGE, page)
    print(f"A is {a.name} ({a.about}); B is {b.name} ({b.about}).")
    print(*found["glance"], f"All of it: {PAGE}", sep="\n")


if __name__ == "__main__":
    run(main)
