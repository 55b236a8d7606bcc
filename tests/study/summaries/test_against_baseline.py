"""Comparisons with a baseline that is allowed more, against SciPy's paired t interval."""

import numpy as np
import pytest
from scipy import stats

from study.paths import RunKey
from study.summaries.against_baseline import ALLOWANCES, MEASURED, against_baseline
from study.tables import measures_table

METRICS = [metric for metrics in MEASURED.values() for metric in metrics.values()]
METHODS = ["baseline", "input", "manifold"]


def measures(methods: list[str] = METHODS, n: int = 4):
    rng = np.random.default_rng(0)
    return measures_table(
        {
            RunKey("e", method, seed): {metric: rng.normal() for metric in METRICS}
            for method in methods
            for seed in range(n)
        }
    )


def test_each_side_is_compared_with_each_baseline_seed_by_seed() -> None:
    table = measures()
    found = against_baseline(table)
    assert list(found) == ALLOWANCES
    # each score's sides squared, for every method, without the baseline against itself
    assert len(found) == 3 * (9 + 9 + 4) - (3 + 3 + 2)
    values = table.pivot(index="seed", columns=["method", "metric"], values="value")
    for row in found.itertuples():
        of_method = values[row.method, MEASURED[row.score][row.allowed]]
        of_baseline = values["baseline", MEASURED[row.score][row.baseline_allowed]]
        expected = stats.ttest_rel(of_method, of_baseline).confidence_interval()
        assert row.n == 4
        assert row.difference == pytest.approx(of_method.mean() - of_baseline.mean())
        assert (row.low, row.high) == pytest.approx((expected.low, expected.high))
    assert not found.duplicated(["score", "method", "allowed", "baseline_allowed"]).any()


def test_one_seed_has_no_interval_and_no_baseline_no_comparison() -> None:
    assert against_baseline(measures(n=1))["low"].isna().all()
    none = against_baseline(measures(["input", "manifold"]))
    assert list(none) == ALLOWANCES
    assert none.empty
