import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from study.errors import StudyError
from study.paths import RunKey, run_folder
from study.summaries import nested_means, runs_table, summary_table
from study.tables import SUMMARY, measures_table
from tests.sums import write_summed

KEYS = [RunKey("zebra", method, seed) for method in ("baseline", "apple") for seed in (7, 3)]


def write_metrics(root: Path, key: RunKey, **metrics: float) -> None:
    write_summed(run_folder(key, root), "metrics.json", json.dumps(metrics))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number, key in enumerate(KEYS):
        write_metrics(tmp_path, key, test_nll=number / 10, accuracy=0.5)
    return tmp_path


def runs(**values: list[float]) -> pd.DataFrame:
    """One measure of methods of one experiment, for seeds 0, 1, ...; None where a run lacks it."""
    return measures_table(
        {
            RunKey("e", method, seed): {"score": value}
            for method, of_method in values.items()
            for seed, value in enumerate(of_method)
            if value is not None
        }
    )


def row(summary: pd.DataFrame, method: str) -> pd.Series:
    return summary.set_index("method").loc[method]


class TestRunsTable:
    def test_follows_the_order_of_the_keys_and_of_the_metrics(self, root):
        table = runs_table(KEYS, root=root)
        assert list(table) == ["experiment", "method", "seed", "metric", "value"]
        assert table.iloc[:4].to_numpy().tolist() == [
            ["zebra", "baseline", 7, "test_nll", 0.0],
            ["zebra", "baseline", 7, "accuracy", 0.5],
            ["zebra", "baseline", 3, "test_nll", 0.1],
            ["zebra", "baseline", 3, "accuracy", 0.5],
        ]
        assert list(table["method"].unique()) == ["baseline", "apple"]

    def test_adds_extra_measures_to_their_runs(self, root):
        extra = measures_table({key: {"spread": key.seed * 10.0} for key in reversed(KEYS)})
        table = runs_table(KEYS, [extra], root)
        assert len(table) == 4 * 3
        spread = table[table["metric"] == "spread"]
        assert spread["seed"].tolist() == [7, 3, 7, 3]
        assert spread["value"].tolist() == [70.0, 30.0, 70.0, 30.0]
        assert table["metric"].tolist()[:3] == ["test_nll", "accuracy", "spread"]

    def test_ignores_runs_that_are_not_asked_for(self, root):
        write_metrics(root, RunKey("zebra", "apple", 99), test_nll=1e9)
        write_metrics(root, RunKey("removed", "baseline", 7), test_nll=1e9)
        stale = measures_table({RunKey("zebra", "apple", 99): {"spread": 1e9}})
        table = runs_table(KEYS, [stale], root)
        pd.testing.assert_frame_equal(table, runs_table(KEYS, root=root))
        assert len(table) == 4 * 2

    def test_a_table_without_rows_adds_nothing(self, root):
        table = runs_table(KEYS, [measures_table({})], root)
        pd.testing.assert_frame_equal(table, runs_table(KEYS, root=root))
        assert summary_table(table)["n"].tolist() == [2, 2, 2, 2]

    def test_names_a_run_that_is_missing_and_how_to_make_it(self, root):
        missing = RunKey("zebra", "apple", 4)
        with pytest.raises(StudyError, match=r"zebra.apple.4.*missing.*`dvc repro`"):
            runs_table([*KEYS, missing], root=root)


class TestSummarise:
    def test_interval_by_hand(self):
        # Mean 2, std 1, n = 3; the t quantile for 2 degrees of freedom is 4.302653.
        summary = summary_table(runs(baseline=[1.0, 2.0, 3.0]))
        assert list(summary) == SUMMARY
        found = row(summary, "baseline")
        assert (found["n"], found["mean"], found["std"]) == (3, 2.0, 1.0)
        half_width = 4.302653 / math.sqrt(3)
        assert found["low"] == pytest.approx(2 - half_width, rel=1e-6)
        assert found["high"] == pytest.approx(2 + half_width, rel=1e-6)
        assert found[["difference", "difference_low", "difference_high"]].isna().all()

    def test_differences_are_paired_by_seed(self):
        baseline, method = [1.0, 5.0, 9.0, 2.0], [1.5, 5.6, 9.4, 2.7]
        found = row(summary_table(runs(baseline=baseline, other=method)), "other")
        expected = stats.ttest_rel(method, baseline).confidence_interval(0.95)
        assert found["difference"] == pytest.approx(0.55)
        assert found["difference_low"] == pytest.approx(expected.low)
        assert found["difference_high"] == pytest.approx(expected.high)
        assert found["difference_low"] > 0  # unpaired, seeds would hide the difference
        assert stats.ttest_ind(method, baseline).pvalue > 0.5
        single = stats.ttest_1samp(method, 0).confidence_interval(0.95)
        assert (found["low"], found["high"]) == pytest.approx((single.low, single.high))

    def test_pairs_only_seeds_that_both_have(self):
        found = row(
            summary_table(runs(baseline=[None, 1.0, 2.0], other=[100.0, 4.0, 6.0])), "other"
        )
        assert found["n"] == 3
        assert found["difference"] == pytest.approx((3 + 4) / 2)

    def test_one_seed_has_no_spread(self):
        summary = summary_table(runs(baseline=[1.0], other=[3.0]))
        found = row(summary, "other")
        assert (found["n"], found["mean"], found["difference"]) == (1, 3.0, 2.0)
        empty = ["std", "low", "high", "difference_low", "difference_high"]
        assert found[empty].isna().all()

    def test_equal_values_have_an_interval_of_no_width(self):
        found = row(summary_table(runs(baseline=[0.5, 0.5], other=[0.75, 0.75])), "other")
        assert (found["low"], found["high"], found["std"]) == (0.75, 0.75, 0.0)
        assert (found["difference_low"], found["difference_high"]) == (0.25, 0.25)

    @pytest.mark.parametrize("odd", [np.nan, np.inf])
    def test_a_value_that_is_not_finite_counts_as_missing(self, odd):
        summary = summary_table(runs(baseline=[1.0, 2.0, odd], other=[odd, odd, odd]))
        assert row(summary, "baseline")[["n", "mean"]].tolist() == [2, 1.5]
        assert row(summary, "other")["n"] == 0
        assert row(summary, "other")[["mean", "std", "low", "difference"]].isna().all()

    def test_without_a_baseline_there_are_no_differences(self):
        summary = summary_table(runs(other=[1.0, 2.0]))
        assert row(summary, "other")["mean"] == 1.5
        assert np.isnan(row(summary, "other")["difference"])

    def test_keeps_experiments_apart_and_in_order(self):
        measures = {
            RunKey(experiment, method, seed): {"z": scale * (seed + 1.0), "a": scale}
            for experiment, scale in (("second", 1.0), ("first", 100.0))
            for method in ("zoo", "baseline")
            for seed in (0, 1)
        }
        summary = summary_table(measures_table(measures))
        assert summary["experiment"].unique().tolist() == ["second", "first"]
        assert summary["method"].tolist() == ["zoo", "zoo", "baseline", "baseline"] * 2
        assert summary["metric"].tolist() == ["z", "a"] * 4
        assert summary["mean"].tolist() == [1.5, 1.0, 1.5, 1.0, 150.0, 100.0, 150.0, 100.0]


class TestNestedMeans:
    def test_nests_in_order_and_rounds_to_significant_digits(self):
        values = {"nll": 1 / 3000, "size": 1234567.8}
        summary = summary_table(measures_table({RunKey("b", "z", 0): values}))
        more = summary_table(measures_table({RunKey("a", m, 0): {"nll": 0.1} for m in ("y", "x")}))
        nested = nested_means(pd.concat([summary, more]))
        assert nested == {
            "b": {"z": {"nll": 0.000333333, "size": 1234570.0}},
            "a": {"y": {"nll": 0.1}, "x": {"nll": 0.1}},
        }
        assert list(nested) == ["b", "a"]
        assert list(nested["a"]) == ["y", "x"]

    def test_leaves_out_what_has_no_mean_and_stays_json(self):
        nested = nested_means(summary_table(runs(baseline=[1.0, np.nan], other=[np.inf, np.nan])))
        assert nested == {"e": {"baseline": {"score": 1.0}}}
        assert json.loads(json.dumps(nested, allow_nan=False)) == nested
