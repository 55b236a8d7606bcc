import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from study.errors import StudyError
from study.inference.claims import CLAIMS, Claim, not_asked, read_claims, read_questions
from study.params import ParamsError, check
from study.paths import RunKey
from study.tables import measures_table
from study.training.config import ExperimentConfig

ROOT = Path(__file__).parents[3]
ENTRY = {
    "id": "S1-boundary",
    "sentence": "It is wider",
    "source": "somebody",
    "experiment": "spirals",
    "metric": "area",
    "method": "manifold",
    "than": "baseline",
    "direction": "higher",
    "smallest": 0.05,
}


def write(path: Path, *entries: Any, **top: Any) -> Path:
    path = path / "claims.yaml"
    path.write_text(yaml.safe_dump({"claims": list(entries)} | top, sort_keys=False))
    return path


def runs(*left_out: tuple[str, str, str]) -> pd.DataFrame:
    keys = [("spirals", "baseline"), ("spirals", "manifold"), ("mnist", "cutmix")]
    return measures_table(
        {
            RunKey(experiment, method, 0): {
                metric: 0.1
                for metric in ("area", "nll", "test_score", "error_after_1")
                if (experiment, method, metric) not in left_out
            }
            for experiment, method in keys
        }
    )


class TestReadClaims:
    def test_reads_every_entry(self, tmp_path):
        constant = ENTRY | {"id": "other_1", "than": 0, "twin": "S1-boundary"}
        first, second = read_claims(write(tmp_path, ENTRY, constant))
        assert (first.id, first.than, first.relative, first.twin) == (
            *("S1-boundary", "baseline"),
            *(False, None),
        )
        assert (second.than, second.twin) == (0, "S1-boundary")

    def test_reads_what_the_families_ask(self, tmp_path):
        entry = ENTRY | {"family": "area"}
        asked = {"area": "Is it wider?"}
        assert read_questions(write(tmp_path, entry, questions=asked)) == asked
        with pytest.raises(ParamsError, match=r"questions.aera is the family of no claim.*area"):
            read_questions(write(tmp_path, entry, questions={"aera": "Is it wider?"}))

    @pytest.mark.parametrize("study", [ROOT, ROOT / "full"])
    def test_every_family_has_its_question_in_words(self, study):
        families = {claim.family for claim in read_claims(study / CLAIMS)}
        assert set(read_questions(study / CLAIMS)) == families

    def test_an_empty_file_of_claims_is_fine(self, tmp_path):
        assert read_claims(write(tmp_path)) == []

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"smalest": 1.0}, "S1-boundary.smalest is not a known key"),
            ({"metric": None}, "S1-boundary.metric should be a valid string, got None"),
            ({"smallest": -0.1}, "S1-boundary.smallest should be greater than or equal to 0"),
            ({"smallest": "0.05"}, "S1-boundary.smallest should be a valid number, got '0.05'"),
            ({"smallest": math.nan}, "S1-boundary.smallest should be a finite number"),
            ({"smallest": 1e10}, "S1-boundary.smallest should be less than or equal to 1000000000"),
            ({"than": -1e10}, "S1-boundary.than"),
            ({"direction": "bigger"}, "S1-boundary.direction should be 'higher', 'lower'"),
            ({"relative": 1}, "S1-boundary.relative should be a valid boolean, got 1"),
            ({"than": True}, "S1-boundary.than"),
            ({"sentence": " "}, "S1-boundary.sentence"),
            ({"id": "S1.boundary"}, "S1.boundary.id"),
            ({"than": "manifold"}, "S1-boundary: compares manifold with itself"),
            (
                {"than": "manifold", "than_metric": ENTRY["metric"]},
                "S1-boundary: compares manifold with itself",
            ),
            (
                {"than": 0.5, "than_metric": "nll"},
                "S1-boundary: than_metric needs a method to measure, got than 0.5",
            ),
            ({"direction": "same", "smallest": 0}, "smallest must be > 0 where .* is same"),
            (
                {"direction": "not_lower", "smallest": 0},
                "smallest must be > 0 where .* is not_lower",
            ),
            ({"direction": "varies", "smallest": 0}, "smallest must be > 0 where .* is varies"),
            ({"direction": "varies", "than": 0.5}, "S1-boundary: .*than must be a method"),
            ({"direction": "varies", "smallest": 0.5}, "S1-boundary: .*smallest < 0.5"),
            ({"direction": "varies", "relative": True}, "S1-boundary: .*relative false"),
            (
                {"direction": "lower", "relative": True, "smallest": 1},
                "S1-boundary: nothing can be lower by a share of 1",
            ),
            ({"relative": True, "than": 0}, "S1-boundary: than must be > 0"),
            ({"twin": "nobody"}, "S1-boundary.twin is 'nobody', which is no claim's id"),
        ],
    )
    def test_names_the_claim_and_the_key_at_fault(self, tmp_path, change, said):
        path = write(tmp_path, ENTRY | change)
        with pytest.raises(ParamsError, match=rf"claims\.yaml: .*{said}") as error:
            read_claims(path)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize("key", [key for key in ENTRY if key != "id"])
    def test_names_a_key_that_is_missing(self, tmp_path, key):
        path = write(tmp_path, {name: value for name, value in ENTRY.items() if name != key})
        with pytest.raises(ParamsError, match=rf"S1-boundary\.{key} is missing"):
            read_claims(path)

    def test_names_a_claim_without_an_id_by_its_place(self, tmp_path):
        nameless = {key: value for key, value in ENTRY.items() if key != "id"}
        with pytest.raises(ParamsError, match=r"claims\.yaml: claim number 2\.id is missing"):
            read_claims(write(tmp_path, ENTRY, nameless))

    def test_ids_are_unique(self, tmp_path):
        with pytest.raises(ParamsError, match=r"S1-boundary\.id is that of another claim"):
            read_claims(write(tmp_path, ENTRY, dict(ENTRY)))

    @pytest.mark.parametrize("content", ["claims: {}", "clams: []", "[]", "claims: [1]", "{"])
    def test_refuses_a_file_of_another_shape(self, tmp_path, content):
        path = tmp_path / "claims.yaml"
        path.write_text(content)
        with pytest.raises(ParamsError, match=r"claims\.yaml"):
            read_claims(path)

    def test_says_that_the_file_is_missing(self, tmp_path):
        with pytest.raises(ParamsError, match=r"claims\.yaml cannot be read"):
            read_claims(tmp_path / "claims.yaml")


class TestRegion:
    @pytest.mark.parametrize(
        ("direction", "relative", "low", "high"),
        [
            ("higher", False, 0.2, math.inf),
            ("lower", False, -math.inf, -0.2),
            ("same", False, -0.2, 0.2),
            ("not_higher", False, -math.inf, 0.2),
            ("not_lower", False, -0.2, math.inf),
            ("not_higher", True, -math.inf, math.log(1.2)),
            ("varies", False, 0.2, 0.8),
            ("higher", True, math.log(1.2), math.inf),
            ("lower", True, -math.inf, math.log(0.8)),
            ("same", True, math.log(0.8), math.log(1.2)),
        ],
    )
    def test_is_where_the_claim_holds(self, direction, relative, low, high):
        changed = {"smallest": 0.2, "direction": direction, "relative": relative}
        assert Claim(**(ENTRY | changed)).region == pytest.approx((low, high))

    def test_something_can_be_higher_by_more_than_itself(self):
        twice = Claim(**(ENTRY | {"smallest": 1.0, "relative": True}))
        assert twice.region == pytest.approx((math.log(2), math.inf))


def experiments(**changes: list[str]) -> dict[str, ExperimentConfig]:
    """Those of params.yaml; cutmix is in the methods of spirals, and not run."""
    methods = {"baseline": {}, "manifold": {"eligible": [0]}, "cutmix": {"eligible": [1]}}
    run = {"plain": ["baseline"], "mixing": ["manifold"]} | changes
    training = {"test_fraction": 0.5, "batch_size": 1, "steps": 1, "evaluations": 1}
    of_all = {
        "data": "d",
        "net": {"width": 1, "depth": 1, "negative_slope": 0.0},
        "training": training | {"learning_rate": 0.1},
        "methods": methods,
    }
    found = {"spirals": of_all | run, "mnist": of_all | {"plain": [], "mixing": ["cutmix"]}}
    return check(dict[str, ExperimentConfig], found)


class TestNotAsked:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (
                {"experiment": "spirasl"},
                r"S1-boundary\.experiment is 'spirasl', which params\.yaml does not have: "
                r"did you mean spirals\?",
            ),
            ({"experiment": "x"}, r"'x', which params\.yaml does not have; there are: spirals, mn"),
            (
                {"method": "cutmx"},
                r"S1-boundary\.method is 'cutmx', which spirals does not have: did you mean cutmix",
            ),
            ({"than": "nothing"}, r"S1-boundary\.than is 'nothing', which spirals does not have"),
            (
                {"metric": "test_scroe"},
                r"S1-boundary\.metric is 'test_scroe', which no run has: did you mean test_score\?",
            ),
            (
                {"than_metric": "test_scor"},
                r"S1-boundary\.than_metric is 'test_scor', which no run",
            ),
        ],
    )
    def test_a_name_that_there_is_not_is_an_error(self, change, said):
        with pytest.raises(StudyError, match=said):
            not_asked([Claim(**ENTRY), Claim(**(ENTRY | change))], experiments(), runs())

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({}, None),
            ({"method": "cutmix"}, "cutmix was not run"),
            ({"than": "cutmix"}, "cutmix was not run"),
            ({"than": "cutmix", "than_metric": "nll"}, "cutmix was not run"),
            ({"experiment": "mnist"}, "manifold was not run"),
            ({"metric": "silhouette"}, "silhouette of manifold was not measured"),
            ({"metric": "error_after_3"}, "error_after_3 of manifold was not measured"),
            ({"than_metric": "silhouette"}, "silhouette of baseline was not measured"),
            ({"than": 3.0, "metric": "silhouette"}, "silhouette of manifold was not measured"),
        ],
    )
    def test_says_what_was_not_run(self, change, why):
        claims = [Claim(**(ENTRY | change))]
        found = not_asked(claims, experiments(), runs())
        assert found == ({} if why is None else {"S1-boundary": why})

    def test_both_methods_need_the_metric(self):
        left_out = runs(("spirals", "baseline", "area"))
        found = not_asked([Claim(**ENTRY)], experiments(), left_out)
        assert found == {"S1-boundary": "area of baseline was not measured"}
        number = Claim(**(ENTRY | {"than": 3.0}))
        other = Claim(**(ENTRY | {"than_metric": "nll"}))
        for claim in (number, other):
            assert not_asked([claim], experiments(), left_out) == {}

    def test_of_a_method_taken_out_nothing_is_asked_though_its_runs_lie_there(self):
        reduced = experiments(mixing=[])
        left = runs()[lambda table: table["method"] == "baseline"]
        assert set(not_asked([Claim(**ENTRY)], reduced, left)) == {"S1-boundary"}


def test_the_committed_claims_can_be_asked_of_the_committed_study():
    claims = read_claims(ROOT / CLAIMS)
    experiments = yaml.safe_load((ROOT / "params.yaml").read_text())["experiments"]
    for claim in claims:
        experiment = experiments[claim.experiment]
        methods = {*experiment["plain"], *experiment["mixing"]}
        assert claim.method in methods
        assert not isinstance(claim.than, str) or claim.than in methods
    rows = {claim.id.split("-")[0] + "-" + claim.id.split("-")[1] for claim in claims}
    assert rows >= {
        *("S1-margin", "S1-flat", "S2-overfit", "S2-uncertain", "S2-input"),
        *("S2-hidden", "S2-seed", "P-nll", "P-theory", "P-12d", "F-calib"),
    }


def test_every_raw_singular_value_has_a_scale_free_twin():
    claims = {claim.id: claim for claim in read_claims(ROOT / CLAIMS)}
    raw = [claim for claim in claims.values() if claim.metric.endswith("_raw")]
    assert len(raw) >= 5
    for claim in raw:
        assert claim.twin is not None
        twin = claims[claim.twin]
        assert twin.metric == claim.metric.removesuffix("raw") + "scale_free"
        same = ("experiment", "method", "than", "direction", "smallest", "relative")
        assert [getattr(twin, key) for key in same] == [getattr(claim, key) for key in same]


@pytest.mark.parametrize("study", [".", "full"])
def test_every_committed_claim_names_its_question(study):
    assert all(claim.family for claim in read_claims(ROOT / study / CLAIMS))
