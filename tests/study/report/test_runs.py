"""Of many measures, tables of runs show those first that figures or claims are about."""

import pandas as pd
import pytest

from study.paths import RunKey
from study.report.runs import MOST_COLUMNS, RunsOfExperiment, run_command, runs_of_experiments
from study.tables import MEASURES
from study.training.experiment import ExperimentConfig
from tests.training import experiment

SEEDS = [3, 1]


def tables(n_metrics: int, asked: set[tuple[str, str]]) -> list[RunsOfExperiment]:
    """Set out two runs; a number is 100 times the place of its metric, and its seed."""
    settings = experiment("spirals", {"baseline": {}}, {"width": 8, "depth": 3})
    names = [f"measure_{place}" for place in range(n_metrics - 1)] + ["test_accuracy"]
    measures = pd.DataFrame(
        [
            ("e", "baseline", seed, name, 100.0 * place + seed)
            for seed in SEEDS
            for place, name in enumerate(names)
        ],
        columns=pd.Index(MEASURES),
    )
    experiments = {"e": ExperimentConfig.model_validate(settings)}
    return runs_of_experiments(SEEDS, experiments, measures, {}, str, asked)


def test_stages_of_own_data_bear_the_name_of_their_experiment_where_there_are_several() -> None:
    settings = experiment("own", {"baseline": {}}, {"width": 8, "depth": 3})
    own = ExperimentConfig.model_validate(settings)
    key = RunKey("a", "baseline", 3)
    assert run_command({"a": own})(key) == "dvc repro train_plain@baseline-3"
    assert run_command({"a": own, "b": own})(key) == "dvc repro train_a_plain@baseline-3"


def test_few_measures_keep_their_order() -> None:
    (table,) = tables(MOST_COLUMNS, {("e", "measure_3")})
    assert table.n_first == len(table.metrics) == MOST_COLUMNS
    assert [name for name, _ in table.metrics][:2] == ["measure_0", "measure_1"]


def test_of_many_measures_those_of_figures_and_claims_come_first() -> None:
    n = MOST_COLUMNS + 1
    (table,) = tables(n, {("e", "measure_3"), ("another", "measure_2")})
    names = [name for name, _ in table.metrics]
    assert table.n_first == 2
    assert names[:4] == ["measure_3", "test_accuracy", "measure_0", "measure_1"]
    assert len(set(names)) == n
    for seed, row in zip(SEEDS, table.rows, strict=True):
        assert row.key == RunKey("e", "baseline", seed)
        assert list(row.values[:4]) == pytest.approx(
            [300 + seed, 100 * (n - 1) + seed, seed, 100 + seed]
        )
