"""The tables of full/README.md, and what else the page says of its study."""

import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml

from study.errors import StudyError
from study.inference.claims import read_claims
from study.inference.design import read_design
from study.inference.ledger import ledger_table, read_ledger
from study.paths import RunKey
from study.report.markdown import insert, markers
from study.tables import measures_table
from study.training.experiment import all_runs
from study.validation import read_study
from tools import write_full_readme
from tools.write_full_readme import check_same_claims, experiments_table, found

ROOT = Path(__file__).parents[2]
FULL = ROOT / "full"
PAGE = (FULL / "README.md").read_text(encoding="utf-8")
CLAIMS = read_claims(FULL / "claims.yaml")
STATED = "6cfd2e6"


@pytest.fixture
def ledger() -> pd.DataFrame:
    """Decide two claims of the full study by runs made up here; a third was not asked."""
    chosen = [c for c in CLAIMS if c.id in ("S1-boundary", "S2-uncertain-mixup", "P-pgd")]
    # By how much more of the plane is unsure on even and on odd seeds under manifold mixup.
    wider = {"video": (0.20, 0.21), "tensorflow_spirals": (0.0, 0.2)}
    runs = measures_table(
        {
            RunKey(experiment, method, seed): {"low_confidence_area": 0.1 + area}
            for experiment, areas in wider.items()
            for seed in range(100, 110)
            for method, area in {"baseline": 0.0, "manifold": areas[seed % 2]}.items()
        }
    )
    return ledger_table(chosen, runs, {"P-pgd": "it was not run"})


def cells(text: str) -> list[list[str]]:
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows]


def test_counts_the_verdicts_of_each_family(ledger: pd.DataFrame) -> None:
    ledger["verdict"] = ["contradicted", "supported", "not asked"]
    ledger["outcome"] = ["opposite", "as claimed", "open"]
    counts, *table = found(ledger)["verdicts"].split("\n\n")
    assert counts.endswith("1 not asked.** Of the contradicted: 1 opposite.")
    header, _, *rows = cells("\n".join(table))
    assert header == [
        *("question", "claims", "supported", "contradicted", "inconclusive", "not asked"),
    ]
    assert rows == [["`boundary`", "2", "1", "1", "0", "0"], ["`attacks`", "1", *"0001"]]


def test_settled_claims_come_first_with_effect_interval_and_seeds(ledger: pd.DataFrame) -> None:
    _, _, first, second = cells(found(ledger)["boundary"])
    assert first[0].startswith("`S2-uncertain-mixup` More of the plane")
    # Means .205 and .1; half widths 2.262 * .00527 / sqrt(10) and 2.262 * .1054 / sqrt(10).
    assert first[1:] == ["**supported**", "+0.2050 (+0.2012 to +0.2088)", "10"]
    assert second[1] == "**inconclusive**"
    assert second[2].startswith("+0.10 (+0.02 to +0.18); ")
    assert cells(found(ledger)["attacks"])[2][1:] == ["**not asked**", "it was not run", "0"]


def test_a_block_without_a_place_is_an_error(ledger: pd.DataFrame) -> None:
    begin, end = markers("boundary")
    with pytest.raises(StudyError, match="verdicts:begin"):
        insert(f"{begin}\n{end}", found(ledger))


def test_a_ledger_of_other_claims_is_refused(
    ledger: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StudyError, match="not of the claims"):
        check_same_claims(CLAIMS, ledger)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match=r"full/README\.md is missing"):
        write_full_readme.main()


def test_the_page_has_a_heading_and_a_block_for_each_family() -> None:
    families = list(dict.fromkeys(str(claim.family) for claim in CLAIMS))
    assert re.findall(r"^### `(\w+)`: ", PAGE, re.MULTILINE) == families
    blocks = ["experiments", "verdicts", *families]
    assert re.findall(r"^<!-- (\w+):begin -->$", PAGE, re.MULTILINE) == blocks


def test_the_table_of_experiments_is_that_of_the_params() -> None:
    study = read_study(FULL / "params.yaml")
    table = experiments_table(study)
    assert insert(PAGE, {"experiments": table}) == PAGE
    runs = sum(
        len(all_runs(experiment.seeds_or(study.seeds), {name: experiment}))
        for name, experiment in study.experiments.items()
    )
    assert cells(table)[-1] == ["all", "", "", "", str(runs)]
    described = re.findall(r"`(\w+)`", " ".join(re.findall("^- `.*", PAGE, re.MULTILINE)))
    assert described == list(study.experiments)


def test_the_tables_of_claims_are_those_of_the_ledger() -> None:
    ledger = read_ledger(FULL / "metrics/claims.csv")
    try:
        check_same_claims(CLAIMS, ledger)
    except StudyError as error:
        pytest.skip(str(error))
    assert insert(PAGE, found(ledger)) == PAGE, "run `python -m tools write_full_readme`"


def test_the_plan_is_as_the_page_says() -> None:
    experiments = read_study(FULL / "params.yaml").experiments
    looks = read_design(CLAIMS, experiments, FULL / "claims.yaml").looks
    seeds, errors = ([getattr(look, of) for look in looks] for of in ("seeds", "level"))
    said = "at {} , {} and {} seeds".replace(" ,", ",").format(*seeds)
    assert f"{said}, with {errors[0]:.3f}, {errors[1]:.3f} and {errors[2]:.3f} of" in PAGE
    assert f"{sum(errors):.2f} together" in PAGE
    blocks = 60_000 // (experiments["mnist"].training.disjoint or 0)
    assert f"MNIST makes {blocks} disjoint training sets" in PAGE
    ledger = read_ledger(FULL / "metrics/claims.csv")
    assert ledger["n"].max() == seeds[1]
    names = ledger.loc[ledger["verdict"] == "inconclusive", "experiment"]
    left = sum(experiments[name].training.disjoint is None for name in names)
    assert f"could still decide {left} of the open claims" in PAGE


def test_claims_and_plan_are_those_stated_before_the_runs() -> None:
    assert f"`{STATED}`" in PAGE
    shown = subprocess.run(
        ["git", "show", f"{STATED}:full/claims.yaml"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if shown.returncode:
        pytest.skip("the history is not here: no Git repository, or a shallow clone")
    then, now = (
        yaml.safe_load(text) for text in (shown.stdout, (FULL / "claims.yaml").read_text("utf-8"))
    )
    for key in ("claims", "plan", "resampled"):
        assert now[key] == then[key]


def test_figures_and_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", PAGE)
    assert [target for target in targets if not (FULL / target).exists()] == []
