"""The sentences of an answer: true of whatever the ledger says."""

from typing import Any

import pandas as pd
import pytest

from study.inference.claims import Claim
from study.inference.ledger import ledger_table
from study.report.answer import about_choices, about_data, about_steps, answer
from study.tables import MEASURES
from study.training.experiment import ExperimentConfig

EXPERIMENT = ExperimentConfig.model_validate(
    {
        "data": "own",
        "net": {"width": 4, "depth": 1},
        "training": {
            "test_fraction": 0.2, "validation_fraction": 0.2, "batch_size": 2, "steps": 9,
            "learning_rate": 0.1, "evaluations": 3,
        },
        "plain": ["baseline", "weight_decay"],
        "mixing": ["input", "chosen"],
        "methods": {
            "baseline": {},
            "weight_decay": {"choose": {"weight_decay": [0.0, 1.0]}},
            "input": {"eligible": [0]},
            "chosen": {"eligible": [0], "choose": {"alpha": [0.2, 1.0], "eligible": [[0], [1]]}},
        },
    }
)  # fmt: skip
SEEDS = range(12)


def ledger(effects: dict[str, float]) -> pd.DataFrame:
    """Decide whether input mixup is higher by 0.01 than others, to which it has ``effects``."""
    wobble = {seed: 0.001 * (seed % 3) for seed in SEEDS}
    rows = [("own", "input", seed, "test_accuracy", 0.5 + wobble[seed]) for seed in SEEDS]
    claims = []
    for than, effect in effects.items():
        rows += [("own", than, seed, "test_accuracy", 0.5 - effect) for seed in SEEDS]
        words: dict[str, Any] = {"id": f"input-{than}", "sentence": "s", "source": "s"}
        words |= {"experiment": "own", "metric": "test_accuracy", "direction": "higher"}
        claims.append(Claim(**words, method="input", than=than, smallest=0.01))
    return ledger_table(claims, pd.DataFrame(rows, columns=pd.Index(MEASURES)))


@pytest.mark.parametrize(
    ("effect", "verdict", "finding"),
    [
        (0.2, "Mixing helps against plain training.", "It helps: input mixup, test accuracy +0.2"),
        (-0.2, "Mixing hurts against plain training.", "It hurts: input mixup"),
        (-0.0005, "Mixing does not help against plain training.", "It makes no difference that"),
        (0.009, "It is open whether mixing helps against plain training.", "Open: input mixup"),
    ],
)
def test_says_of_mixing_what_the_ledger_decides(effect: float, verdict: str, finding: str) -> None:
    against, limits = answer("own", EXPERIMENT, ledger({"baseline": effect}))
    assert against.startswith(verdict)
    assert finding in against
    assert "12 seeds" in limits
    assert ("1 of 1 question" in limits) == finding.startswith("Open")


def test_each_method_that_is_compared_with_has_a_sentence() -> None:
    found = ledger({"baseline": 0.2, "weight_decay": -0.2})
    plain, tuned, _ = answer("own", EXPERIMENT, found)
    assert plain.startswith("Mixing helps against plain training.")
    assert tuned.startswith("Mixing hurts against plain training that stops early")


def test_says_so_where_nothing_was_asked() -> None:
    found = ledger({"baseline": 0.2})
    assert answer("other", EXPERIMENT, found) == ["No question was asked."]


def test_says_what_was_chosen_and_how_often() -> None:
    rows = [
        ("own", "chosen", seed, setting, value)
        for seed, alpha, layers in ((0, "1.0", "0"), (1, "0.2", "1"), (2, "0.2", "1"))
        for setting, value in (("alpha", alpha), ("eligible", layers))
    ]
    columns = ["experiment", "method", "seed", "setting", "chosen"]
    (said,) = about_choices(pd.DataFrame(rows, columns=columns), EXPERIMENT)
    assert "chosen from 4: alpha 0.2, eligible 1 on 2 of 3 seeds" in said
    assert "alpha 1.0, eligible 0 on 1 of 3 seeds" in said


def test_says_when_the_validation_loss_is_lowest() -> None:
    rows = [("a", 0, 3, 0.5), ("a", 0, 6, 0.4), ("a", 0, 9, 0.6)]
    rows += [("b", 0, 3, 0.5), ("b", 0, 6, 0.4), ("b", 0, 9, 0.3)]
    columns = ["method", "seed", "step", "validation_loss"]
    histories = pd.DataFrame(rows, columns=columns)
    histories.index = pd.Index([0, 1, 2, 0, 1, 2])  # as of files put together
    assert "of 9, mean over seeds: a 6, b 9." in about_steps(histories)
    assert about_steps(histories.assign(validation_loss=float("nan"))) == ""


def test_says_how_the_classes_are_balanced() -> None:
    about = {"n_samples": 40, "source": "my.csv", "counts": {"a": 30, "b": 10}, "imbalance": 3.0}
    said = about_data(about)
    assert "40 samples of my.csv; a 75 %, b 25 %; the largest class is 3.0 times" in said
    assert "times" not in about_data(about | {"counts": {"a": 20, "b": 20}, "imbalance": 1.0})
