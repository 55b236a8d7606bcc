"""Print what the study found: headline numbers, compared with the baseline, and where to look."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from mixup.analysis.tables import BASELINE, SUMMARY, read_table
from stages.command import run

HEADLINES = {
    "test_accuracy": "test accuracy",
    "test_nll": "test NLL (nats)",
    "low_confidence_area": "low-confidence area",
    "test_scatter_ratio": "between/within scatter",
    "test_hull_coverage": "area of class hulls",
    "test_core_hull_coverage": "area, central 95 %",
    "test_first_singular_value_raw": "1st singular value, raw",
    "test_first_singular_value_scale_free": "1st, scale-free",
}
WHERE_TO_LOOK = """\
± is half of the 95 % interval of the mean over seeds; the comparison is paired by seed, and its
interval is in brackets. "lower" and "higher" mean that this interval excludes zero.
Figures: figures/   All numbers: metrics/summary.csv, metrics/runs.csv   What they say: README.md"""


def results_text(summary: pd.DataFrame) -> str:
    """Lay out the headline metrics of every experiment as plain text of at most 100 columns."""
    blocks = []
    for experiment, rows in summary.groupby("experiment", sort=False):
        seeds = int(rows["n"].max())
        lines = [f"{experiment}: {seeds} seed{'s' * (seeds != 1)}"]
        for metric, title in HEADLINES.items():
            for row in rows[rows["metric"] == metric].itertuples():
                cells = f"  {title:<24}{row.method:<16}{_mean(row):<20}{_comparison(row)}"
                lines.append(cells.rstrip())
                title = ""
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, WHERE_TO_LOOK])


def _mean(row: Any) -> str:
    half_width = row.high - row.mean
    if not half_width > 0:
        return f"{row.mean:.4g}"
    places = _places(half_width)
    return f"{row.mean:.{places}f} ± {half_width:.{places}f}"


def _comparison(row: Any) -> str:
    low, high = row.difference_low, row.difference_high
    if row.method == BASELINE or math.isnan(row.difference):
        return ""
    word = "lower" if row.difference < 0 else "higher"
    if math.isnan(low):
        return f"{word} than {BASELINE} by {abs(row.difference):.3g}"
    places = _places(high - low)
    if low <= 0 <= high:
        return f"not clearly different ({low:+.{places}f} to {high:+.{places}f})"
    near, far = sorted((abs(low), abs(high)))
    return f"{word} by {abs(row.difference):.{places}f} ({near:.{places}f} to {far:.{places}f})"


def _places(spread: float) -> int:
    """Give the decimal places, five at most, that show two significant digits of ``spread``."""
    return min(max(0, 1 - math.floor(math.log10(spread))), 5) if spread > 0 else 4


def main() -> None:
    print(results_text(read_table("metrics/summary.csv", SUMMARY)))


if __name__ == "__main__":
    run(main)
