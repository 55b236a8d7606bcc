"""Pages in Markdown, parts of which are generated: their blocks, tables and cells."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.errors import StudyError
from study.inference.verdicts import CONTRADICTED
from study.inference.wording import effect_text, needed_text


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


def table(header: list[str], rows: list[list[str]]) -> str:
    """Lay out a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
