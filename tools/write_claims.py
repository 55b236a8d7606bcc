"""Write the claims and headline metrics of two studies into docs/claims.md and full-mnist.md."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from study.command import run
from study.errors import StudyError
from study.files import write_text
from study.inference.ledger import read_ledger
from study.inference.verdicts import CONTRADICTED, NOT_ASKED
from study.inference.wording import counts_text, effect_text, mean_text, needed_text
from study.measures.catalogue import headlines, label
from study.paths import CLAIMS_TABLE, SUMMARY_TABLE
from study.tables import SUMMARY, read_table

PAGES = {Path("docs/claims.md"): Path(), Path("docs/full-mnist.md"): Path("examples/all_of_mnist")}
"""Page -> folder of the study that it is about."""


def sections(ledger: pd.DataFrame, summary: pd.DataFrame) -> dict[str, str]:
    """Write what was found as Markdown: the verdicts, and each experiment's headline metrics.

    Args:
        ledger: of the claims; those that were not asked are left out.
        summary: of the metrics.

    Returns:
        Two blocks of a page by name, ``verdicts`` and ``means``.
    """
    asked, seeds = ledger[ledger["verdict"] != NOT_ASKED], int(summary["n"].max())
    counts = f"**{counts_text(asked)}**, from {seeds} seed{'s' * (seeds != 1)}."
    means = [
        _metrics_table(str(name), rows) for name, rows in summary.groupby("experiment", sort=False)
    ]
    claims = table(["claim", "verdict", "found"], [claim_cells(row) for row in asked.itertuples()])
    return {"verdicts": f"{counts}\n\n{claims}", "means": "\n\n".join(means)}


def markers(block: str) -> tuple[str, str]:
    """Give the lines of a page between which a block of it is generated."""
    return f"<!-- {block}:begin -->", f"<!-- {block}:end -->"


def read_page(path: Path, block: str) -> str:
    """Read a page that is to be written anew in parts, of which ``block`` is one.

    Raises:
        StudyError: it is not there, or is another page of the same name.
    """
    if not path.exists():
        raise StudyError(f"{path} is missing: run this from the project's folder")
    first, _ = markers(block)
    page = path.read_text(encoding="utf-8")
    if first not in page:
        raise StudyError(f"{path} has no line {first}: run this from the project's folder")
    return page


def insert(page: str, sections: Mapping[str, str]) -> str:
    """Put each section between the markers of its block in a page's text.

    Raises:
        StudyError: the markers are not there, each once and in their order.
    """
    for block, section in sections.items():
        marks = markers(block)
        before, begin, rest = page.partition(marks[0])
        old, end, after = rest.partition(marks[1])
        if not (begin and end) or any(mark in before + old + after for mark in marks):
            raise StudyError(
                f"a page of results must have one line {marks[0]} and, after it, one {marks[1]}"
            )
        page = f"{before}{begin}\n\n{section}\n\n{end}{after}"
    return page


def claim_cells(row: Any) -> list[str]:
    """Word a row of the ledger: the claim, its verdict, and what was found, with all there is."""
    instead = f": {row.outcome}" if row.verdict == CONTRADICTED else ""
    # Of a claim that was not asked, the note is the effect's text too.
    texts = dict.fromkeys([effect_text(row), needed_text(row), str(row.note)])
    found = plain("; ".join(filter(None, texts)))
    return [f"`{row.id}` {plain(str(row.sentence))}", f"**{row.verdict}**{instead}", found]


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
    for path, folder in PAGES.items():
        ledger = read_ledger(folder / CLAIMS_TABLE)
        summary = read_table(folder / SUMMARY_TABLE, SUMMARY)
        write_text(path, insert(read_page(path, "verdicts"), sections(ledger, summary)))


if __name__ == "__main__":
    run(main, __doc__)
