from pathlib import Path

import pandas as pd
import pytest

from study.errors import StudyError
from study.inference.ledger import ledger_table, read_ledger
from study.paths import RunKey
from study.report.markdown import insert, markers
from study.summaries import summary_table
from study.tables import SUMMARY, measures_table, read_table, write_table
from tests.study.inference.known_runs import claim
from tools import write_claims
from tools.write_claims import PAGES, sections

ROOT = Path(__file__).parents[2]
BEGIN, END = markers("verdicts")
MEANS = "\n\n".join(markers("means"))
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
    sides = {"experiment": "spirals", "metric": "test_nll", "method": "manifold"}
    words = {"sentence": "It is more likely", "direction": "lower"}
    return ledger_table([claim("P-nll", **words, **sides)], runs)


def test_markup_and_bars_in_a_sentence_stay_in_their_cell(
    ledger: pd.DataFrame, runs: pd.DataFrame
) -> None:
    sentence = f"a | b <script> {END}"
    section = sections(ledger.assign(sentence=sentence), summary_table(runs))["verdicts"]
    assert "a \\| b &lt;script&gt; &lt;!-- verdicts:end --&gt;" in section
    assert insert(AROUND, {"verdicts": section}).count(END) == 1


def test_shows_verdicts_and_headline_metrics(ledger, runs):
    blocks = sections(ledger, summary_table(runs))
    lines = [line for block in blocks.values() for line in block.splitlines()]
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
    section = sections(changed, summary_table(runs))["verdicts"]
    assert (
        "| -1.10 (-1.35 to -0.85); a new study planned with 8 to 20 seeds would settle it; beware |"
        in section
    )
    changed = ledger.assign(verdict="contradicted", outcome="opposite")
    assert "| **contradicted**: opposite |" in sections(changed, summary_table(runs))["verdicts"]


def test_every_row_of_a_table_has_as_many_cells_as_its_head(ledger, runs):
    blocks = "\n\n".join(sections(ledger, summary_table(runs)).values()).split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("|")]
    assert len(tables) == 2
    for table in tables:
        assert len({row.count("|") for row in table}) == 1


def test_replaces_what_is_between_the_markers_and_nothing_else():
    once = insert(AROUND, {"verdicts": "new"})
    assert once == f"# Title\n\n{BEGIN}\n\nnew\n\n{END}\n\n## Next\n"
    assert insert(once, {"verdicts": "new"}) == once


@pytest.mark.parametrize(
    "readme", ["# Title", BEGIN, f"{END}\n{BEGIN}", AROUND + AROUND, f"{BEGIN}\n{AROUND}"]
)
def test_refuses_a_readme_without_one_place_for_it(readme):
    with pytest.raises(StudyError, match="must have one line"):
        insert(readme, {"verdicts": "new"})


def test_claims_that_were_not_asked_are_left_out(ledger, runs):
    other = ledger.assign(id="other", verdict="not asked")
    both = sections(pd.concat([ledger, other]), summary_table(runs))
    assert both == sections(ledger, summary_table(runs))


def test_writes_the_pages(tmp_path, monkeypatch, ledger, runs):
    monkeypatch.chdir(tmp_path)
    for folder in PAGES.values():
        write_table(folder / "metrics/claims.csv", ledger)
        write_table(folder / "metrics/summary.csv", summary_table(runs))
    with pytest.raises(StudyError, match=r"docs/claims\.md is missing"):
        write_claims.main()
    Path("docs").mkdir()
    for page in PAGES:
        page.write_text(AROUND + MEANS, encoding="utf-8")
    write_claims.main()
    found = sections(ledger, summary_table(runs))
    wanted = insert(AROUND + MEANS, found)
    assert [page.read_text(encoding="utf-8") for page in PAGES] == [wanted, wanted]


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_a_page_says_what_its_ledger_and_its_summary_say(path):
    metrics = ROOT / PAGES[path] / "metrics"
    if not (metrics / "claims.csv").exists():
        pytest.skip("the study has not run here: there is no metrics/claims.csv")
    found = sections(
        read_ledger(metrics / "claims.csv"), read_table(metrics / "summary.csv", SUMMARY)
    )
    page = (ROOT / path).read_text(encoding="utf-8")
    assert insert(page, found) == page, "run `python -m tools write_claims`"
