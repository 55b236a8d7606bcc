from pathlib import Path

import pandas as pd
import pytest

from study.errors import StudyError
from study.inference.claims import Claim
from study.inference.ledger import ledger_table, read_ledger
from study.paths import RunKey
from study.summaries import summary_table
from study.tables import SUMMARY, measures_table, read_table, write_table
from tools import write_claims
from tools.write_claims import PAGE, insert, markers, results_section

ROOT = Path(__file__).parents[2]
BEGIN, END = markers("results")
AROUND = f"# Title\n\n{BEGIN}\nold\n{END}\n\n## Next\n"


@pytest.fixture
def runs() -> pd.DataFrame:
    return measures_table(
        {
            RunKey("spirals", "baseline", seed): {"test_nll": 2.0 + seed, "train_nll": 77.0}
            for seed in range(3)
        }
        | {RunKey("spirals", "manifold", seed): {"test_nll": 1.0 + 0.9 * seed} for seed in range(3)}
    )


@pytest.fixture
def ledger(runs: pd.DataFrame) -> pd.DataFrame:
    claim = Claim(
        id="P-nll",
        sentence="It is more likely",
        source="the paper",
        experiment="spirals",
        metric="test_nll",
        method="manifold",
        than="baseline",
        direction="lower",
        smallest=0.1,
    )
    return ledger_table([claim], runs)


def test_markup_and_bars_in_a_sentence_stay_in_their_cell(
    ledger: pd.DataFrame, runs: pd.DataFrame
) -> None:
    sentence = f"a | b <script> {END}"
    section = results_section(ledger.assign(sentence=sentence), summary_table(runs))
    assert "a \\| b &lt;script&gt; &lt;!-- results:end --&gt;" in section
    assert insert(AROUND, section).count(END) == 1


def test_shows_verdicts_and_headline_metrics(ledger, runs):
    lines = results_section(ledger, summary_table(runs)).splitlines()
    assert lines[0] == "**1 claim: 1 supported, 0 contradicted, 0 inconclusive**, from 3 seeds."
    # Differences -1, -1.1, -1.2: mean -1.1, half width 4.3027 * .1 / sqrt(3) = .248.
    row = "| `P-nll` It is more likely | **supported** | -1.10 (-1.35 to -0.85) |"
    assert row in lines
    assert "| spirals | baseline | manifold |" in lines
    # Standard deviations 1 and .9: half widths 2.48 and 2.24.
    assert "| test NLL, nats | 3.0 ± 2.5 | 1.9 ± 2.2 |" in lines
    assert "77" not in "".join(lines)


def test_a_note_and_the_seeds_needed_stand_with_the_numbers(ledger, runs):
    changed = ledger.assign(verdict="inconclusive", seeds_low=8.0, seeds_high=20.0, note="beware")
    section = results_section(changed, summary_table(runs))
    assert (
        "| -1.10 (-1.35 to -0.85); a new study planned with 8 to 20 seeds would settle it; beware |"
        in section
    )
    changed = ledger.assign(verdict="contradicted", outcome="opposite")
    assert "| **contradicted**: opposite |" in results_section(changed, summary_table(runs))


def test_every_row_of_a_table_has_as_many_cells_as_its_head(ledger, runs):
    blocks = results_section(ledger, summary_table(runs)).split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("|")]
    assert len(tables) == 2
    for table in tables:
        assert len({row.count("|") for row in table}) == 1


def test_replaces_what_is_between_the_markers_and_nothing_else():
    once = insert(AROUND, "new")
    assert once == f"# Title\n\n{BEGIN}\n\nnew\n\n{END}\n\n## Next\n"
    assert insert(once, "new") == once


@pytest.mark.parametrize(
    "readme", ["# Title", BEGIN, f"{END}\n{BEGIN}", AROUND + AROUND, f"{BEGIN}\n{AROUND}"]
)
def test_refuses_a_readme_without_one_place_for_it(readme):
    with pytest.raises(StudyError, match="must have one line"):
        insert(readme, "new")


def test_writes_the_page(tmp_path, monkeypatch, ledger, runs):
    monkeypatch.chdir(tmp_path)
    write_table("metrics/claims.csv", ledger)
    write_table("metrics/summary.csv", summary_table(runs))
    with pytest.raises(StudyError, match=r"docs/claims\.md is missing"):
        write_claims.main()
    Path("docs").mkdir()
    PAGE.write_text(AROUND, encoding="utf-8")
    write_claims.main()
    section = results_section(ledger, summary_table(runs))
    assert "[claims.yaml](../claims.yaml)" in section
    assert PAGE.read_text(encoding="utf-8") == insert(AROUND, section)


def test_the_page_says_what_the_ledger_and_the_summary_say():
    if not (ROOT / "metrics/claims.csv").exists():
        pytest.skip("the study has not run here: there is no metrics/claims.csv")
    section = results_section(
        read_ledger(ROOT / "metrics/claims.csv"),
        read_table(ROOT / "metrics/summary.csv", SUMMARY),
    )
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert insert(page, section) == page, "run `python -m tools write_claims`"
