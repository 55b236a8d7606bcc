import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from study import place
from study.errors import StudyError
from study.inference.claims import Claim, read_claims
from study.inference.ledger import ledger_table
from study.paths import RunKey
from study.tables import measures_table, write_table
from tests.study.inference import known_runs
from tools import show_results
from tools.show_results import ledger_text, time_text

ROOT = Path(__file__).parents[2]


def ledger(*claims: Claim, size: float = 1.0, seeds: int = 5) -> pd.DataFrame:
    """Decide claims on made-up runs that have whatever they ask for."""
    rng = np.random.default_rng(0)
    measures: dict[RunKey, dict[str, float]] = {}
    for claim in claims:
        for method in (claim.method, claim.than):
            for seed in range(seeds):
                of_run = measures.setdefault(RunKey(claim.experiment, str(method), seed), {})
                of_run.setdefault(claim.metric, size * rng.uniform(0.5, 1))
    return ledger_table(claims, measures_table(measures))


def claim(name: str, **changes: object) -> Claim:
    usual = {"sentence": f"This is {name}", "method": "a", "than": 0, "smallest": 0}
    return known_runs.claim(name, **(usual | changes))


def test_sorts_the_claims_by_verdict():
    text = ledger_text(
        ledger(claim("no", smallest=5.0), claim("yes"), claim("open", than="b"), claim("yes-too"))
    )
    lines = [line.split()[0] for line in text.splitlines() if line.startswith("  ")]
    assert [line for line in lines if line in ("no", "yes", "yes-too", "open")] == [
        *("yes", "yes-too", "no", "open")
    ]
    headings = [line for line in text.splitlines() if line.isupper()]
    assert headings == ["SUPPORTED", "CONTRADICTED", "INCONCLUSIVE"]
    assert text.startswith("4 claims that ask 3 questions: 2 supported, 1 contradicted, 1 incon")


def test_leaves_out_verdicts_that_no_claim_has():
    assert "CONTRADICTED" not in ledger_text(ledger(claim("yes")))


def test_a_line_has_the_sentence_the_effect_and_a_mark_for_a_note():
    table = ledger(claim("yes")).assign(difference=0.25, low=0.125, high=0.375, note="")
    line = (
        "  yes                       This is yes                               0.25 (0.12 to 0.38)"
    )
    assert line in ledger_text(table).splitlines()
    assert f"{line} *" in ledger_text(table.assign(note="beware")).splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(("size", "seeds"), [(1e-7, 5), (1e5, 2), (1.0, 1)])
def test_the_whole_ledger_fits_in_100_columns(size: float, seeds: int):
    claims = read_claims(ROOT / "claims.yaml")
    text = ledger_text(ledger(*claims, size=size, seeds=seeds))
    assert max(map(len, text.splitlines())) <= 100
    assert all(re.search(f"^  {one.id}( |$)", text, re.MULTILINE) for one in claims)


def test_says_where_the_report_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match=r"claims\.csv is missing: run `dvc repro`"):
        show_results.main()
    write_table("metrics/claims.csv", ledger(claim("yes")))
    show_results.main()
    assert "report" not in capsys.readouterr().out
    Path("report").mkdir()
    Path("report/index.html").touch()
    show_results.main()
    printed = capsys.readouterr().out
    assert "SUPPORTED" in printed
    for named in ("report/index.html", "claims.yaml", "metrics/claims.csv"):
        assert named in printed


def test_a_long_id_leaves_the_columns_as_they_are() -> None:
    short, long = "S1-a", "S1-flat-others-input-scale-free"
    lines = ledger_text(ledger(claim(short), claim(long))).splitlines()
    at = {line.split()[0]: line for line in lines if line.startswith("  S1")}
    assert at[long].strip() == long
    following = lines[lines.index(at[long]) + 1]
    assert following.index(following.split()[0]) == at[short].index(at[short].split()[1])


def test_a_copy_that_dvc_runs_an_experiment_in_has_no_page_to_open(tmp_path, monkeypatch, capsys):
    copy = tmp_path / ".dvc/tmp/exps/tmpabc"
    (copy / "report").mkdir(parents=True)
    monkeypatch.chdir(copy)
    write_table("metrics/claims.csv", ledger(claim("yes")))
    Path("report/index.html").touch()
    show_results.main()
    assert "Open" not in capsys.readouterr().out


def test_names_the_report_from_the_folder_with_the_code(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(place, "ROOT", tmp_path)
    (tmp_path / "second/report").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "second")
    write_table("metrics/claims.csv", ledger(claim("yes")))
    Path("report/index.html").touch()
    show_results.main()
    assert "Open second/report/index.html" in capsys.readouterr().out


def test_ends_with_what_was_found_and_what_to_open(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("report").mkdir()
    Path("report/index.html").touch()
    table = ledger(claim("yes"), claim("open", than="b"))
    write_table("metrics/claims.csv", table)
    show_results.main()
    found, surest, page = capsys.readouterr().out.splitlines()[-3:]
    assert found == "Found: 2 claims: 1 supported, 0 contradicted, 1 inconclusive."
    assert surest.startswith("Surest, supported: This is yes, 0.")
    assert page.startswith("Open ")
    assert "report/index.html" in page
    write_table("metrics/claims.csv", table.assign(verdict="inconclusive"))
    show_results.main()
    assert "Surest" not in capsys.readouterr().out


def test_says_how_long_a_run_of_each_method_took():
    took = {RunKey("e", "baseline", seed): seconds for seed, seconds in enumerate((1.0, 2.0, 30.0))}
    said = time_text(took | {RunKey("e", "manifold", 0): 4.04})
    assert said.endswith(": baseline 2.0, manifold mixup 4.0.")
    assert time_text({}) == ""
