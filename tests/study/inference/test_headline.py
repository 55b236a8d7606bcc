"""The few numbers that DVC shows unasked, of runs made up by hand and of the committed studies."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from study.errors import StudyError
from study.inference.claims import Claim, read_claims
from study.inference.headline import headline, read_headline
from study.inference.ledger import read_ledger
from study.params import ParamsError
from study.paths import RunKey
from study.tables import MEASURES, measures_table, read_table
from study.validation import read_study
from tests.study.inference import known_runs

ROOT = Path(__file__).parents[3]
EXPERIMENTS = read_study(ROOT / "params.yaml").experiments
LEDGER = pd.DataFrame({"verdict": ["supported", "not asked", "supported"]})
COUNTS = {"supported": 2, "contradicted": 0, "inconclusive": 0, "not_asked": 1}


def claim(**changes: Any) -> Claim:
    usual = {"experiment": "spirals", "metric": "nll", "method": "manifold", "direction": "lower"}
    return known_runs.claim(**(usual | changes))


def runs(experiment: str = "spirals", **methods: list[float]) -> pd.DataFrame:
    return measures_table(
        {
            RunKey(experiment, method, seed): {"nll": value, "area": value / 10}
            for method, values in methods.items()
            for seed, value in enumerate(values)
        }
    )


def test_has_means_of_the_methods_that_claims_compare():
    table = runs(baseline=[1.0, 2.0], dropout=[0.0, 0.0], manifold=[1.23456, 1.23456])
    found = headline({"spirals": ["nll", "area"]}, [claim()], LEDGER, table)
    assert found == {
        "claims": COUNTS,
        "spirals": {
            "baseline": {"nll": 1.5, "area": 0.15},
            "manifold": {"nll": 1.235, "area": 0.1235},
        },
    }
    assert list(found["spirals"]) == ["baseline", "manifold"]
    assert list(found["spirals"]["baseline"]) == ["nll", "area"]


def test_leaves_out_what_was_not_run_or_has_no_value():
    table = runs(manifold=[1.0, float("inf")], baseline=[float("nan")])
    measures = {"spirals": ["nll", "silhouette"], "mnist_2d": ["nll"]}
    found = headline(measures, [claim(), claim(than=3.0), claim(experiment="e")], LEDGER, table)
    assert found == {"claims": COUNTS, "spirals": {"manifold": {"nll": 1.0}}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("spirasl: [area]", r"headline\.spirasl is 'spirasl', .*: did you mean spirals\?"),
        ("spirals: [test_scor]", r"headline\.spirals\.test_scor is 'test_scor', which no run has"),
        ("spirals: [area, area]", r"headline\.spirals must not repeat an entry"),
        ("spirals: area", r"headline\.spirals should be a valid list"),
    ],
)
def test_a_name_that_there_is_not_is_an_error(tmp_path: Path, text: str, said: str):
    path = tmp_path / "claims.yaml"
    path.write_text(f"claims: []\nheadline: {{{text}}}\n")
    table = runs(baseline=[1.0])
    with pytest.raises((StudyError, ParamsError), match=said):
        read_headline(EXPERIMENTS, table.replace("nll", "test_score"), path)


@pytest.mark.parametrize(("study", "most"), [(".", 40), ("full", 60)])
def test_the_committed_studies_show_few_numbers(study: str, most: int):
    folder = ROOT / study
    experiments = read_study(folder / "params.yaml").experiments
    table = read_table(folder / "metrics/runs.csv", MEASURES)
    measures = read_headline(experiments, table, folder / "claims.yaml")
    assert set(measures) <= set(experiments)
    claims = read_claims(folder / "claims.yaml")
    found = headline(measures, claims, read_ledger(folder / "metrics/claims.csv"), table)
    assert set(found) == {"claims", *measures}
    shown = pd.json_normalize(json.loads(json.dumps(found)))
    assert 20 < shown.size <= most
