"""Write every claim of the default study into docs/claims.md, with the headline metrics."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pandas as pd

from study.command import run
from study.errors import StudyError
from study.files import write_text
from study.inference.ledger import read_ledger
from study.inference.verdicts import CONTRADICTED
from study.inference.wording import counts_text, effect_text, mean_text, needed_text
from study.measures.catalogue import headlines, label
from study.tables import SUMMARY, read_table

PAGE = Path("docs/claims.md")
LEDGER_INTRO = """\
The verdicts follow the rule at the head of [claims.yaml](../claims.yaml), which also says what
was known when a claim was written down. Numbers are differences between methods, paired by seed,
with their intervals; more of each is in [metrics/claims.csv](../metrics/claims.csv)."""
SUMMARY_INTRO = """\
Means over the seeds ± half of their 95 % intervals, from
[metrics/summary.csv](../metrics/summary.csv). The seeds of MNIST split the same digits. The
verdicts are corrected for that, these intervals are not: they are too narrow for other digits:"""


def results_section(ledger: pd.DataFrame, summary: pd.DataFrame) -> str:
    """Write what was found as Markdown: the verdicts, then each experiment's headline metrics.

    Args:
        ledger: of the claims.
        summary: of the metrics.
    """
    seeds = int(summary["n"].max())
    counts = f"**{counts_text(ledger)}**, from {seeds} seed{'s' * (seeds != 1)}."
    parts = [f"{counts}\n{LEDGER_INTRO}", _claims_table(ledger), SUMMARY_INTRO]
    for experiment, rows in summary.groupby("experiment", sort=False):
        parts.append(_metrics_table(str(experiment), rows))
    return "\n\n".join(parts)


def markers(block: str) -> tuple[str, str]:
    """Give the lines of a page between which a block of it is generated."""
    return f"<!-- {block}:begin -->", f"<!-- {block}:end -->"


def insert(page: str, section: str, block: str = "results") -> str:
    """Put the section between the markers of a block in a page's text.

    Raises:
        StudyError: the markers are not there, each once and in their order.
    """
    marks = markers(block)
    before, begin, rest = page.partition(marks[0])
    old, end, after = rest.partition(marks[1])
    if not (begin and end) or any(mark in before + old + after for mark in marks):
        raise StudyError(
            f"a page of results must have one line {marks[0]} and, after it, one line {marks[1]}"
        )
    return f"{before}{begin}\n\n{section}\n\n{end}{after}"


def _claims_table(ledger: pd.DataFrame) -> str:
    return table(
        ["claim", "verdict", "found"],
        [
            [f"`{row.id}` {plain(str(row.sentence))}", verdict_text(row), found_text(row)]
            for row in ledger.itertuples()
        ],
    )


def verdict_text(row: Any) -> str:
    """Word a verdict and, of a contradicted claim, what was found instead."""
    instead = f": {row.outcome}" if row.verdict == CONTRADICTED else ""
    return f"**{row.verdict}**{instead}"


def found_text(row: Any) -> str:
    """Word the effect with its interval, the seeds that an open claim needs, and the note."""
    # Of a claim that was not asked, the note is the effect's text too.
    texts = dict.fromkeys([effect_text(row), needed_text(row), str(row.note)])
    return plain("; ".join(text for text in texts if text))


def plain(text: str) -> str:
    """Keep text from being read as HTML or as the end of a table's cell."""
    return html.escape(text, quote=False).replace("|", r"\|")


def _metrics_table(experiment: str, rows: pd.DataFrame) -> str:
    methods = list(rows["method"].unique())
    cells: dict[Any, Any] = {(row.metric, row.method): row for row in rows.itertuples()}
    lines = []
    for metric in headlines(rows["metric"].unique()):
        found = [cells.get((metric, method)) for method in methods]
        texts = [mean_text(row.mean, row.low, row.high) if row else "" for row in found]
        lines.append([label(metric), *texts])
    return table([experiment, *methods], lines)


def table(header: list[str], rows: list[list[str]]) -> str:
    """Lay out a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    ledger, summary = read_ledger(), read_table("metrics/summary.csv", SUMMARY)
    if not PAGE.exists():
        raise StudyError(f"{PAGE} is missing: run this from the project's folder")
    page = insert(PAGE.read_text(encoding="utf-8"), results_section(ledger, summary))
    write_text(PAGE, page)


if __name__ == "__main__":
    run(main, __doc__)
