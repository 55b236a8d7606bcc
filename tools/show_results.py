"""Print the ledger: which claims hold here, how strongly, and where to look."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from textwrap import wrap
from typing import Any

import pandas as pd

from study.command import run
from study.figures.style import method_label
from study.inference.ledger import read_ledger
from study.inference.verdicts import ALL_VERDICTS, CONTRADICTED, NOT_ASKED
from study.inference.wording import counts_text, effect_text, needed_text
from study.paths import ANSWER, RunKey
from study.report.closing import closing_lines
from study.timings import training_seconds
from study.training.experiment import all_runs, read_experiments

# The columns' widths; with the spaces around them 100 characters a line.
ID, SENTENCE, FOUND = 25, 41, 30
WHERE_TO_LOOK = """\
Numbers are differences between methods, paired by seed, with their intervals.
* has a note in metrics/claims.csv. The rule of the verdicts is at the head of claims.yaml.
Add no seed because a claim is open: that errs more often than the rule says."""
COLUMNS = 100


def ledger_text(ledger: pd.DataFrame) -> str:
    """Lay out the ledger, one block a verdict, as plain text of at most 100 columns."""
    blocks = [counts_text(ledger)]
    for verdict in ALL_VERDICTS:
        claims = ledger[ledger["verdict"] == verdict]
        if len(claims):
            lines = [line for claim in claims.itertuples() for line in _lines(claim)]
            blocks.append("\n".join([verdict.upper(), *lines]))
    return "\n\n".join([*blocks, WHERE_TO_LOOK])


def _lines(claim: Any) -> list[str]:
    has_note = bool(claim.note) and claim.verdict != NOT_ASKED  # whose note is its text
    instead = claim.outcome if claim.verdict == CONTRADICTED else ""
    found = [f"{effect_text(claim)}{' *' * has_note}", instead, needed_text(claim)]
    right = [line for text in found for line in wrap(text, FOUND)]
    fits = len(claim.id) <= ID
    rows = zip_longest([claim.id] * fits, wrap(claim.sentence, SENTENCE), right, fillvalue="")
    return [f"  {claim.id}"] * (not fits) + [
        f"  {name:<{ID}} {sentence:<{SENTENCE}} {text}".rstrip() for name, sentence, text in rows
    ]


def answer_text(lines: list[str]) -> str:
    """Lay out the answer of a study of one's own, a paragraph a line."""
    return "\n\n".join("\n".join(wrap(line, COLUMNS)) for line in lines)


def time_text(seconds: Mapping[RunKey, float]) -> str:
    """Say how long a run took, by method; nothing where it is not known."""
    if not seconds:
        return ""
    table = pd.DataFrame([(key.method, took) for key, took in seconds.items()])
    medians = table.groupby(0, sort=False)[1].median()
    said = ", ".join(f"{method_label(str(method))} {took:.1f}" for method, took in medians.items())
    return f"Seconds to train a run here, median, with all that it chooses from: {said}."


def main() -> None:
    ledger = read_ledger()
    if ANSWER.exists():
        lines = ANSWER.read_text(encoding="utf-8").splitlines()
        took = time_text(training_seconds(all_runs(*read_experiments())))
        print(f"{answer_text([*lines, *filter(None, [took])])}\n")
    print(ledger_text(ledger))
    print("\n" + "\n".join(closing_lines(ledger)))


if __name__ == "__main__":
    run(main, __doc__)
