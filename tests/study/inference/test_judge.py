"""Holm's correction by worked examples, and by simulation what error a plan of looks makes."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from study.inference.claims import Look, Plan
from study.inference.judge import holm, holm_over_looks
from study.params import ParamsError, check

SIZES, ERRORS = [10, 20, 40], [0.010, 0.015, 0.025]


class TestHolm:
    def test_worked_example(self):
        # Sorted .001 .010 .015 .030 .040 times 5 4 3 2 1: .005 .040 .045 .060 .040, then none
        # below the one before it.
        found = holm([0.03, 0.001, 0.04, 0.015, 0.01])
        assert found == pytest.approx([0.06, 0.005, 0.06, 0.045, 0.04])

    def test_as_another_package_has_it(self):
        # statsmodels 0.14.6, multipletests(..., method="holm")
        found = holm([0.01, 0.04, 0.03, 0.005, 0.2, 0.0009])
        assert found == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.2, 0.0054])

    def test_what_was_not_tested_does_not_count(self):
        assert holm([0.04, math.nan, 0.01]) == pytest.approx([0.04, math.nan, 0.02], nan_ok=True)
        assert len(holm([])) == 0

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
    def test_rejects_what_the_sequential_procedure_rejects(self, p_values):
        rejected = set()
        for step, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
            if p_values[index] * (len(p_values) - step) >= 0.05:
                break
            rejected.add(index)
        assert {i for i, p in enumerate(holm(p_values)) if p < 0.05} == rejected
        assert max(holm(p_values)) <= 1

    def test_any_wrong_verdict_of_many_is_rare(self):
        # Twenty true effects that lie exactly on the bound: every certain verdict is wrong.
        rng = np.random.default_rng(0)
        d = rng.normal(0.5, 1.0, size=(2000, 20, 5))
        p = np.array([holm(family) for family in stats.ttest_1samp(d, 0.5, axis=-1).pvalue])
        families = (p < 0.05).any(axis=1).mean()
        assert 0.03 < families < 0.065


class TestOverLooks:
    def test_one_look_is_holm(self):
        p = np.array([[0.03, 0.001, 0.04, 0.015, 0.01]])
        decided, adjusted = holm_over_looks(p, [0.05])
        assert adjusted[0] == pytest.approx(holm(p[0]))
        assert decided.tolist() == [-1, 0, -1, 0, 0]

    def test_what_is_decided_stays_so_and_is_out_of_the_way(self):
        p = np.array([[0.001, 0.03, 0.9], [0.8, 0.006, 0.9], [0.8, 0.9, 0.024]])
        decided, adjusted = holm_over_looks(p, ERRORS)
        assert decided.tolist() == [0, 1, 2]
        assert adjusted[0] == pytest.approx([0.003, 0.06, 0.9])
        assert adjusted[1, 1:] == pytest.approx([0.012, 0.9])
        assert adjusted[2, 2] == pytest.approx(0.024)
        assert np.isnan(adjusted[1:, 0]).all()

    def test_what_is_not_yet_looked_at_counts_and_what_has_no_test_does_not(self):
        looked = holm_over_looks(np.array([[0.004, 1.0, 1.0]]), [0.01])
        assert looked[0].tolist() == [-1, -1, -1]
        untested = holm_over_looks(np.array([[0.004, math.nan, math.nan]]), [0.01])
        assert untested[0].tolist() == [0, -1, -1]


def p_values(differences: np.ndarray, bound: float) -> np.ndarray:
    """Test the first seeds of (studies, claims, seeds) at each look; (studies, looks, claims)."""
    return np.stack(
        [stats.ttest_1samp(differences[..., :n], bound, axis=-1).pvalue for n in SIZES], axis=1
    )


class TestErrorOfThePlan:
    """Every effect lies on the bound of its claim, so that each verdict is wrong."""

    def test_of_one_claim(self):
        rng = np.random.default_rng(0)
        p = p_values(rng.normal(0.3, 1.0, size=(20_000, 1, SIZES[-1])), 0.3)[:, :, 0]
        wrong = (p < ERRORS).any(axis=1).mean()
        # the looks share seeds, so they err together at times: less than .05, more than the last
        assert 0.030 < wrong < 0.050

    def test_without_a_plan_three_looks_err_twice_as_often(self):
        rng = np.random.default_rng(0)
        p = p_values(rng.normal(0.3, 1.0, size=(20_000, 1, SIZES[-1])), 0.3)[:, :, 0]
        assert (p < 0.05).any(axis=1).mean() > 0.09

    def test_of_any_of_many_claims_some_of_which_are_decided_rightly(self):
        rng = np.random.default_rng(1)
        d = rng.normal(0.3, 1.0, size=(3000, 12, SIZES[-1]))
        d[:, 6:] += 0.9  # true effects, decided at one look or another
        decided = np.array([holm_over_looks(p, ERRORS)[0] for p in p_values(d, 0.3)])
        assert {0, 1, 2} <= set(decided[:, 6:].ravel())
        wrong = (decided[:, :6] >= 0).any(axis=1).mean()
        assert 0.02 < wrong < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 3000)


class TestPlan:
    def test_gives_its_looks(self):
        plan = check(Plan, {"looks": SIZES, "errors": ERRORS})
        assert plan.steps == (Look(10, 0.010), Look(20, 0.015), Look(40, 0.025))

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"errors": [0.01]}, "as many errors as looks"),
            ({"looks": [10, 10, 40]}, "ascending"),
            ({"errors": [0.02, 0.02, 0.02]}, "add up to at most 0.05"),
            ({"errors": [0.0, 0.02, 0.02]}, "greater than 0"),
            ({"looks": [1, 20, 40]}, "greater than or equal to 2"),
            ({"looks": [], "errors": []}, "at least 1"),
            ({"look": [3]}, "not a known key"),
        ],
    )
    def test_refuses(self, change: dict[str, Any], said: str):
        with pytest.raises(ParamsError, match=said):
            check(Plan, {"looks": SIZES, "errors": ERRORS} | change, "plan")
