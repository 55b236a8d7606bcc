"""What is said of rankings is what the tables say."""

import pandas as pd

from study.inference.ranking import ranks_table, wins_table
from study.report.ranking import rankings
from study.tables import MEASURES


def runs(values: dict[int, dict[str, float]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("e", method, seed, "test_accuracy", value)
            for seed, of_seed in values.items()
            for method, value in of_seed.items()
        ],
        columns=MEASURES,
    )


def test_orders_and_leaders_are_counted() -> None:
    table = runs(
        {
            4: {"baseline": 0.8, "input": 0.7},
            2: {"baseline": 0.9, "input": 0.6},
            9: {"baseline": 0.5, "input": 0.5},
            1: {"baseline": 0.5, "input": 0.6},
        }
    )
    found = rankings(ranks_table(table), wins_table(table))["e"]
    assert found.finding == (
        "4 seeds give 3 different orders of the methods. Highest test accuracy: baseline on seeds "
        "4 and 2; baseline and input mixup on seed 9; input mixup on seed 1. Kendall's W, 0 for no "
        "agreement of the seeds and 1 for one order: 0.083."
    )
    assert found.seed_names == ["Seed 4", "Seed 2", "Seed 9", "Seed 1"]
    of_baseline, of_input = (
        [(1, 0.8), (1, 0.9), (1.5, 0.5), (2, 0.5)],
        [*((2, 0.7), (2, 0.6), (1.5, 0.5), (1, 0.6))],
    )
    assert found.rows == [("baseline", of_baseline), ("input mixup", of_input)]
    (pair,) = found.pairs
    assert (pair["label"], pair["other_label"]) == ("baseline", "input mixup")
    assert (pair["wins"], pair["ties"], pair["n"]) == (2, 1, 4)


def test_one_seed_and_one_order() -> None:
    table = runs({0: {"baseline": 0.8, "input": 0.7}})
    found = rankings(ranks_table(table), wins_table(table))["e"]
    assert found.finding == (
        "One seed gives a single order of the methods. Highest test accuracy: baseline on seed 0."
    )
