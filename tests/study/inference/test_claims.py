import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from study.inference.claims import CLAIMS, Claim, read_claims, read_questions
from study.params import ParamsError
from study.paths import RunKey
from study.tables import measures_table
from tests.study.inference.known_runs import WIDER

ROOT = Path(__file__).parents[3]
ENTRY = WIDER | {"id": "S1-boundary"}


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

    def test_names_a_key_of_the_file_after_the_file(self, tmp_path):
        path = write(tmp_path, ENTRY, famlies={})
        with pytest.raises(ParamsError) as error:
            read_claims(path)
        assert str(error.value).startswith(f"{path}: famlies is not a known key")

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
