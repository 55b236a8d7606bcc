"""The front page tells what is settled, whatever that is, and says what the tables say."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from study.errors import StudyError
from study.inference.claims import Claim, read_claims
from study.inference.ledger import ledger_table
from study.paths import RunKey
from study.summaries import summary_table
from study.tables import measures_table
from tests.study.inference import known_runs
from tools import write_readme
from tools.write_readme import COLUMNS, TOPICS, caption, fill, findings, found_section, means_table

ROOT = Path(__file__).parents[2]


def runs(**differences: float) -> pd.DataFrame:
    """Make three seeds of each experiment, in which methods differ from plain training by that."""
    measures: dict[RunKey, dict[str, float]] = {}
    shown = [(experiment, metric) for experiment, (_, of) in COLUMNS.items() for metric in of]
    for experiment, metric in [*shown, ("spirals", "low_confidence_area")]:
        for method, by in {"baseline": 0.0, "input": 0.5, **differences}.items():
            for seed in range(3):
                of_run = measures.setdefault(RunKey(experiment, method, seed), {})
                of_run[metric] = 1.0 + seed + by * (1 + seed / 100)
    return measures_table(measures)


def claim(name: str, direction: str = "higher") -> Claim:
    sides = {"experiment": "spirals", "metric": "low_confidence_area", "method": "manifold"}
    return known_runs.claim(name, sentence=f"This is {name}", direction=direction, **sides)


def told(*claims: Claim, manifold: float) -> list[str]:
    return findings(ledger_table(claims, runs(manifold=manifold)))


def test_tells_what_is_supported_and_what_is_contradicted() -> None:
    yes, no = claim("S2-hidden-none"), claim("F-calib-mnist", "lower")
    assert told(no, yes, manifold=0.3) == [
        "- **Confidence.** This is S2-hidden-none: *supported*, +0.303 (+0.296 to +0.310).",
        "- **Calibration.** This is F-calib-mnist: *contradicted* (opposite), "
        "+0.303 (+0.296 to +0.310).",
    ]


def test_tells_the_first_settled_claim_of_a_topic_only() -> None:
    first, second = TOPICS["Likelihood"][:2]
    (line,) = told(claim(second), claim(first), manifold=0.3)
    assert f"This is {first}:" in line
    (line,) = told(claim(second), manifold=0.3)
    assert f"This is {second}:" in line


def test_tells_nothing_that_is_open() -> None:
    ledger = ledger_table([claim("S2-hidden-none")], runs(manifold=0.3))
    assert findings(ledger.assign(verdict="inconclusive")) == []


def test_tells_five_findings_at_most() -> None:
    lines = told(*[claim(names[0]) for names in TOPICS.values()], manifold=0.3)
    assert [line.split("**")[1] for line in lines] == [f"{topic}." for topic in list(TOPICS)[:5]]


def test_topics_name_claims_and_columns_name_experiments_of_the_full_study() -> None:
    claims = read_claims(ROOT / "full/claims.yaml")
    assert {name for names in TOPICS.values() for name in names} <= {each.id for each in claims}
    assert set(COLUMNS) <= {each.experiment for each in claims}


def test_the_table_has_a_row_a_method_and_no_column_that_was_not_measured() -> None:
    summary = summary_table(runs(manifold=0.3))
    header, _, *rows = means_table(summary).splitlines()
    assert [row.split(" | ")[0] for row in rows] == [
        *("| baseline", "| input mixup", "| manifold mixup")
    ]
    assert header == (
        "|  | spirals: test accuracy | test NLL, nats | unsure area "
        "| MNIST: test accuracy | test NLL, nats | test ECE |"
    )
    header = means_table(summary[summary["experiment"] == "mnist"]).splitlines()[0]
    assert header == "|  | MNIST: test accuracy | test NLL, nats | test ECE |"


def test_the_caption_has_the_means_of_all_seeds() -> None:
    table = runs(manifold=0.3)
    table["value"] /= 10
    text = caption(ledger_table([claim("S2-uncertain-mixup")], table), summary_table(table))
    assert "20 %, 25 % and 23 % of the plane on average over 3 seeds" in text
    assert "is contradicted: +0.0303 (+0.0296 to +0.0310).*" in text


def test_counts_seeds_of_experiments_that_have_more() -> None:
    ledger = ledger_table([claim("S2-hidden-none"), claim("P-pgd")], runs(manifold=0.3))
    summary = summary_table(runs(manifold=0.3))
    assert "0 inconclusive**, from 3 seeds each." in found_section(ledger, summary)
    ledger.loc[1, "n"] = 20
    assert "**, from 3 to 20 seeds each." in found_section(ledger, summary)


def test_the_front_page_says_what_the_tables_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    page = Path("README.md").read_text(encoding="utf-8")
    assert fill(page) == page, "run `python -m tools write_readme`"


def test_refuses_a_folder_without_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["write_readme"])
    with pytest.raises(StudyError, match=r"README\.md is missing"):
        write_readme.main()
    Path("README.md").write_text("# A study of one's own\n")
    with pytest.raises(StudyError, match="no line <!-- picture:begin -->: run this from the proj"):
        write_readme.main()
