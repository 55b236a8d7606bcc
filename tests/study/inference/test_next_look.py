"""Which seeds the next look adds, when it is refused, and how they come into params.yaml."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from study.errors import StudyError
from study.inference.claims import ONE_LOOK, Claim, Look
from study.inference.next_look import next_seeds, with_seeds
from study.paths import RunKey
from study.tables import measures_table
from tests.study.inference import known_runs

ROOT = Path(__file__).parents[3]
LOOKS = (Look(2, 0.02), Look(4, 0.03))


def claim(name: str, experiment: str, than: str | float = "baseline") -> Claim:
    return known_runs.claim(name, experiment=experiment, method="input", than=than)


CLAIMS = [claim("a", "one"), claim("b", "one"), claim("c", "two", 0.5)]


def runs(seeds: dict[str, list[int]], *missing: tuple[str, str, int]) -> pd.DataFrame:
    keys = [
        RunKey(name, method, seed)
        for name, of_each in seeds.items()
        for method in ("baseline", "input")
        for seed in of_each
        if (name, method, seed) not in missing
    ]
    return measures_table({key: {"score": 1.0} for key in keys})


def added(
    verdicts: str, seeds: dict[str, list[int]], *missing: Any, looks: Any = LOOKS
) -> dict[str, list[int]]:
    words = {"s": "supported", "i": "inconclusive", "n": "not asked"}
    of_claims = dict(zip("abc", map(words.get, verdicts), strict=True))
    return next_seeds(CLAIMS, of_claims, seeds, looks, runs(seeds, *missing))


def test_adds_seeds_where_claims_are_open_and_nowhere_else():
    seeds = {"one": [100, 101], "two": [100, 101]}
    assert added("sis", seeds) == {"one": [100, 101, 102, 103]}
    assert added("iss", {"one": [9, 3], "two": [1]}) == {"one": [9, 3, 10, 11]}
    assert added("ssi", seeds) == {"two": [100, 101, 102, 103]}
    assert added("iii", {"one": [7], "two": [100, 101, 102, 103]}) == {"one": [7, 8]}


@pytest.mark.parametrize(
    ("verdicts", "seeds", "missing", "said"),
    [
        ("ssn", [5, 6], [], "no claim is open"),
        ("iss", [5, 6, 7, 8], [], "the plan's last look, at 4 seeds, was made"),
        ("iss", [5, 6], [("one", "baseline", 6)], "not finished: one baseline with seed 6"),
    ],
)
def test_refuses_a_look_that_is_not_due(verdicts, seeds, missing, said):
    with pytest.raises(StudyError, match=said):
        added(verdicts, {"one": seeds, "two": [5, 6]}, *missing)


def test_runs_that_no_open_claim_needs_may_be_missing():
    seeds = {"one": [5, 6], "two": [5, 6]}
    assert "two" in added("ssi", seeds, ("two", "baseline", 6), ("one", "input", 5))


def test_without_a_plan_there_is_no_next_look():
    with pytest.raises(StudyError, match="no plan of looks"):
        added("iii", {"one": [5], "two": [5]}, looks=ONE_LOOK)


@pytest.mark.parametrize("study", [".", pytest.param("full", marks=pytest.mark.slow)])
def test_only_the_seeds_of_the_experiment_change_in_the_text(study):
    text = (ROOT / study / "params.yaml").read_text(encoding="utf-8")
    before = yaml.safe_load(text)
    for experiment in before["experiments"]:
        longer = with_seeds(text, experiment, range(100, 140))
        expected = yaml.safe_load(text)
        expected["experiments"][experiment]["seeds"] = list(range(100, 140))
        assert yaml.safe_load(longer) == expected
        assert max(map(len, longer.splitlines())) <= 120
        assert longer.count("#") == text.count("#")
        assert with_seeds(longer, experiment, [1, 2]).replace("    seeds: [1, 2]\n", "") == (
            with_seeds(text, experiment, [1, 2]).replace("    seeds: [1, 2]\n", "")
        )


def test_a_list_of_lines_gives_way_and_comments_stay():
    text = (
        "experiments:\n  one:\n    seeds: # few\n      - 1\n      - 2\n    # a word\n    data: d\n"
    )
    assert with_seeds(text, "one", [1, 2, 3]) == (
        "experiments:\n  one:\n    seeds: [1, 2, 3]\n    # a word\n    data: d\n"
    )
