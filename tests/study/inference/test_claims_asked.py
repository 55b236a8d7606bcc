"""Which claims are asked, of the committed study and of others."""

import pytest
import yaml

from study.errors import StudyError
from study.inference.claims import CLAIMS, Claim, read_claims
from study.inference.design import not_asked
from study.params import check
from study.training.experiment import ExperimentConfig
from tests.study.inference.test_claims import ENTRY, ROOT, runs
from tests.training import experiment


def experiments(**changes: list[str]) -> dict[str, ExperimentConfig]:
    """Those of params.yaml; cutmix is in the methods of spirals, and not run."""
    methods = {"baseline": {}, "manifold": {"eligible": [0]}, "cutmix": {"eligible": [1]}}
    run = {"plain": ["baseline"], "mixing": ["manifold"]} | changes
    of_all = experiment("d", methods, {"width": 1, "depth": 1})
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
