"""Compare the runs in this folder with the committed ones: ``python -m tools verify``.

It trains nothing; ``make verify`` trains the study anew in a copy and calls this there.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from textwrap import shorten

import pandas as pd

from study.command import run
from study.errors import StudyError
from study.inference.agreement import (
    RUN,
    Agreement,
    Turn,
    agreements,
    pair_runs,
    runs_in_one,
    turns,
)
from study.paths import CLAIMS_TABLE, RUNS_TABLE
from study.revisions import WORKSPACE, find_revision, repository, table_at
from study.tables import MEASURES

WIDTH = 100
MOST = 6  # lines of one list
RULE = """\
A mean over seeds holds if it lies within the committed seeds' spread: where the mean of as many
other seeds would lie, 19 times in 20. The last column says which number lies farthest from its
committed mean, as a share of that spread; beyond 100 % it does not hold."""


def table_lines(pairs: pd.DataFrame, found: Sequence[Agreement]) -> Iterator[str]:
    """Sum up each method: how many runs and means are the same, and how many means hold."""
    yield "experiment method        same runs  same means  means hold  farthest"
    both = pairs[pairs["place"] == "both"]
    for (experiment, method), rows in both.groupby(["experiment", "method"], sort=False):
        runs = rows.groupby(RUN)["identical"].all()
        means = [a for a in found if (a.experiment, a.method) == (experiment, method)]
        far = max(means, key=lambda a: a.share)
        line = (
            f"{experiment:<10} {method:<13} {_of(runs.sum(), runs.size):>9}"
            f"  {_of(sum(a.identical for a in means), len(means)):>10}"
            f"  {_of(sum(a.holds for a in means), len(means)):>10}"
        )
        share = f"{far.share:.0%}" if math.isfinite(far.share) else "moved, without a spread"
        yield f"{line}  {far.metric} {share}" if far.share else line


def number_line(number: Agreement) -> str:
    """Say how far a mean moved."""
    name = f"{number.experiment} {number.method} {number.metric}"
    reach = f"within {number.reach:.3g}" if number.reach else "no spread: equal"
    return f"{name}: {number.committed:.6g} -> {number.fresh:.6g} (to hold: {reach})"


def verdict_line(turn: Turn) -> str:
    """Say from what to what a verdict went."""
    return f"{turn.id}: {turn.committed or 'none'} -> {turn.fresh or 'none'}"


def block(title: str, lines: Sequence[str]) -> Iterator[str]:
    """Head a list and cut it; nothing for an empty one."""
    if not lines:
        return
    yield f"\n{title}:"
    yield from (f"  {shorten(line, WIDTH - 2, placeholder=' ...')}" for line in lines[:MOST])
    if len(lines) > MOST:
        yield f"  and {len(lines) - MOST} more"


def failures(outside: int, flipped: int, missing: int) -> str:
    """Say in one line what does not hold; empty if all does."""
    parts = {
        f"means outside the seeds' spread: {outside}": outside,
        f"verdicts that flipped: {flipped}": flipped,
        f"committed numbers and verdicts that are missing: {missing}": missing,
    }
    return ", ".join(text for text, number in parts.items() if number)


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Say whether the runs in this folder agree with the committed ones.",
        epilog="Exit status 0: they do. 1: a mean left the seeds' spread, a verdict flipped "
        "between supported and contradicted, or something is missing.",
    )
    parser.add_argument("--against", metavar="REV", default="HEAD", help="default: HEAD")
    asked = parser.parse_args()
    with repository() as repo:
        revisions = [find_revision(repo, name) for name in (asked.against, WORKSPACE)]
        runs = [table_at(revision, RUNS_TABLE, MEASURES) for revision in revisions]
        ledgers = [table_at(r, CLAIMS_TABLE, ["id", "verdict"]) for r in revisions]
    pairs, claims = pair_runs(*runs), turns(*ledgers)
    found = agreements(pairs)
    about = f"The runs in this folder, against {revisions[0].name} ({revisions[0].about})"
    print(f"{shorten(about, WIDTH, placeholder=' ...')}\n\n{RULE}\n")
    print(*table_lines(pairs, found), sep="\n")
    show(pairs, found, claims)
    missing = int((pairs["place"] == "committed").sum()) + sum(not turn.fresh for turn in claims)
    outside = sum(not number.holds for number in found)
    if wrong := failures(outside, sum(turn.flipped for turn in claims), missing):
        raise StudyError(f"the results do not hold: {wrong}")
    print("\nThe results hold.")


def show(pairs: pd.DataFrame, found: Sequence[Agreement], claims: Sequence[Turn]) -> None:
    """Print what holds of the verdicts, and list all that does not hold."""
    outside = sorted((a for a in found if not a.holds), key=lambda a: -a.share)
    flipped = [verdict_line(turn) for turn in claims if turn.flipped]
    moved = [verdict_line(turn) for turn in claims if not turn.holds and not turn.flipped]
    print(f"\nVerdicts that hold: {_of(sum(turn.holds for turn in claims), len(claims))}.")
    for title, lines in (
        ("Verdicts that flipped", flipped),
        ("Verdicts that moved, but did not flip", moved),
        ("Means outside the spread, committed -> fresh", [number_line(a) for a in outside]),
        ("Committed, but missing here", list(runs_in_one(pairs, "committed"))),
        ("Here, but not committed", list(runs_in_one(pairs, "fresh"))),
    ):
        print(*block(title, lines), sep="\n", end="\n" if lines else "")


if __name__ == "__main__":
    run(main)
