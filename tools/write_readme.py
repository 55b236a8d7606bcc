"""Write what was found into README.md; with --picture draw its picture anew too."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from study.command import run
from study.figures.style import method_label
from study.files import write_text
from study.inference.ledger import read_ledger
from study.inference.verdicts import CONTRADICTED, SETTLED
from study.inference.wording import counts_text, effect_text, mean_text, range_text
from study.measures.catalogue import short
from study.paths import CLAIMS_TABLE, SUMMARY_TABLE
from study.report.markdown import insert, plain, read_page, table
from study.tables import BASELINE, SUMMARY, read_table

PAGE = Path("README.md")
PICTURE = Path("docs/boundaries.png")
DRAWN = (BASELINE, "input", "manifold")
DRAWN_CLAIM = "S2-uncertain-mixup"
N_FINDINGS = 5

# Of each topic the first claim that is settled is told.
TOPICS = {
    "Confidence": ("S2-uncertain-mixup", "S2-hidden-none", "P-fig1-area-baseline"),
    "Likelihood": ("P-nll-spirals", "P-nll-12d", "P-nll-labels"),
    "Underfitting": ("S2-input-test", "S2-input-train", "P-layers-spirals", "F-intrusion-spirals"),
    "Hidden states": ("S1-flat-rank", "S1-margin-tight", "S1-flat-others", "P-svd-ratio"),
    "Calibration": ("F-calib-mnist", "F-calib-2d", "F-calib-input-2d", "F-calib-input-12d"),
    "Attacks": ("P-pgd", "P-fgsm"),
    "Where to mix": ("P-layers-hidden", "P-layers-late", "P-alpha-manifold"),
}
COLUMNS = {
    "video": ("spirals", ["test_accuracy", "test_nll", "low_confidence_area"]),
    "mnist": ("MNIST", ["test_accuracy", "test_nll", "test_ece"]),
}
"""Experiment -> what it is called, and the measures shown."""
FOOT = """\
Differences are between two methods, paired by seed, with their intervals. *Settled* is what is
supported or contradicted after correction for all tests. The table has means ± half of their 95 %
intervals."""


def caption(ledger: pd.DataFrame, summary: pd.DataFrame) -> str:
    """Say what the picture shows, and what is known of it over all seeds.

    Args:
        ledger: of the claims of the default study, whose runs are drawn.
        summary: of its metrics.
    """
    measured = summary.set_index(["experiment", "method", "metric"])["mean"].to_dict()
    means = [measured["spirals", method, "low_confidence_area"] for method in DRAWN]
    shares = [f"{100 * mean:.0f} %" for mean in means]
    claim: Any = next(ledger[ledger["id"] == DRAWN_CLAIM].itertuples())
    return (
        "*Two spirals after plain training, input mixup and Manifold Mixup, seed 0. White is where "
        f"the net is unsure: {shares[0]}, {shares[1]} and {shares[2]} of the plane on average over "
        f"{claim.n} seeds. That Manifold Mixup leaves more of it unsure than plain training is "
        f"{claim.verdict}: {effect_text(claim)}.*"
    )


def findings(ledger: pd.DataFrame) -> list[str]:
    """Tell the first settled claim of each topic, one line each.

    Args:
        ledger: of the claims.

    Returns:
        At most `N_FINDINGS` lines of Markdown.
    """
    settled = ledger[ledger["verdict"].isin(SETTLED)]
    by_id: dict[Any, Any] = {row.id: row for row in settled.itertuples()}
    first = {
        topic: next((by_id[name] for name in names if name in by_id), None)
        for topic, names in TOPICS.items()
    }
    lines = [_finding(topic, claim) for topic, claim in first.items() if claim]
    return lines[:N_FINDINGS]


def _finding(topic: str, claim: Any) -> str:
    instead = f" ({claim.outcome})" if claim.verdict == CONTRADICTED else ""
    sentence = plain(str(claim.sentence))
    return f"- **{topic}.** {sentence}: *{claim.verdict}*{instead}, {effect_text(claim)}."


def means_table(summary: pd.DataFrame) -> str:
    """Lay out the few means that a reader wants first, a row for each method."""
    cells: Mapping[Any, Any] = {
        (row.experiment, row.metric, row.method): row for row in summary.itertuples()
    }
    measured = {
        (experiment, metric): f"{name}: {short(metric)}" if metric == metrics[0] else short(metric)
        for experiment, (name, metrics) in COLUMNS.items()
        for metric in metrics
        if (experiment, metric, DRAWN[0]) in cells
    }
    rows = []
    for method in DRAWN:
        found = [cells.get((*key, method)) for key in measured]
        texts = [mean_text(row.mean, row.low, row.high) if row else "" for row in found]
        rows.append([method_label(method), *texts])
    return table(["", *measured.values()], rows)


def found_section(ledger: pd.DataFrame, summary: pd.DataFrame) -> str:
    """Write what the full study found: counts, headlines and a table of means.

    Args:
        ledger: of the claims of the full study.
        summary: of its metrics.
    """
    return "\n\n".join(
        [
            f"**{counts_text(ledger)}**, from {range_text(ledger['n'])} each. "
            "Settled among others:",
            "\n".join(findings(ledger)),
            means_table(summary),
            FOOT,
        ]
    )


def read_results(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the ledger and the summary of the study in a folder."""
    summary = read_table(folder / SUMMARY_TABLE, SUMMARY)
    return read_ledger(folder / CLAIMS_TABLE), summary


def fill(page: str) -> str:
    """Put what the two studies found into the front page's text."""
    picture, results = caption(*read_results(Path())), found_section(*read_results(Path("full")))
    return insert(page, {"picture": picture, "results": results})


def draw_picture() -> None:
    """Draw the maps of one seed of the default study, whose runs must be here."""
    from study.data.dataset import load_dataset
    from study.figures.boundaries import draw_boundaries
    from study.figures.parts import probability_map
    from study.figures.style import save
    from study.paths import RunKey, data_file

    dataset = load_dataset(data_file("spirals"))
    maps = {name: {0: probability_map(RunKey("spirals", name, 0), dataset)} for name in DRAWN}
    figure = draw_boundaries(maps, "spirals")
    figure.set_figheight(figure.get_figheight() + 0.15)  # room for the labels under a single row
    save(figure, PICTURE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--picture", action="store_true", help="draw the picture too, from the runs in runs/"
    )
    picture, page = parser.parse_args().picture, read_page(PAGE, "picture")
    if picture:
        draw_picture()
    write_text(PAGE, fill(page))


if __name__ == "__main__":
    run(main)
