"""Write the claims and headline metrics of two studies into docs/claims.md and full-mnist.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from study.command import run
from study.files import write_text
from study.inference.ledger import read_ledger
from study.inference.verdicts import NOT_ASKED
from study.inference.wording import counts_text, mean_text
from study.measures.catalogue import headlines, label
from study.paths import CLAIMS_TABLE, SUMMARY_TABLE
from study.report.markdown import claim_cells, insert, read_page, table
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


def _metrics_table(experiment: str, rows: pd.DataFrame) -> str:
    methods = list(rows["method"].unique())
    cells: dict[Any, Any] = {(row.metric, row.method): row for row in rows.itertuples()}
    lines = []
    for metric in headlines(rows["metric"].unique()):
        found = [cells.get((metric, method)) for method in methods]
        texts = [mean_text(row.mean, row.low, row.high) if row else "" for row in found]
        lines.append([label(metric), *texts])
    return table([experiment, *methods], lines)


def main() -> None:
    for path, folder in PAGES.items():
        ledger = read_ledger(folder / CLAIMS_TABLE)
        summary = read_table(folder / SUMMARY_TABLE, SUMMARY)
        write_text(path, insert(read_page(path, "verdicts"), sections(ledger, summary)))


if __name__ == "__main__":
    run(main, __doc__)
