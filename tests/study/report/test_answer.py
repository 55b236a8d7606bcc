"""The sentences of an answer: true of whatever the ledger says."""

from typing import Any

import pandas as pd
import pytest

from study.inference.claims import Claim
from study.inference.ledger import ledger_table
from study.report.answer import about_choices, about_data, about_steps, answer, layers_text
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


def test_intervals_have_the_confidence_of_the_look() -> None:
    *_, limits = answer("own", EXPERIMENT, ledger({"baseline": 0.2}).assign(level=0.01), 1.0)
    assert "with 99 % intervals" in limits


@pytest.mark.parametrize(
    ("effect", "verdict", "finding"),
    [
        (0.2, "Mixing that is not tuned helps", "It helps: input mixup, test accuracy +0.2"),
        (-0.2, "Mixing that is not tuned hurts", "It hurts: input mixup"),
        # A wrong sign that is certain hurts only if it matters.
        (
            -0.005,
            "Mixing that is not tuned does not help",
            "It makes no difference that matters: input mixup",
        ),
        (
            -0.0107,
            "Mixing that is not tuned does not help",
            "It does not help, and is worse, but not surely",
        ),
        (-0.0005, "Mixing that is not tuned does not help", "It makes no difference that"),
        (0.009, "It is open whether mixing that is not tuned helps", "Open: input mixup"),
    ],
)
def test_says_of_mixing_what_the_ledger_decides(effect: float, verdict: str, finding: str) -> None:
    against, limits = answer("own", EXPERIMENT, ledger({"baseline": effect}), 1.0)
    how = "(input mixup: alpha 1 at the input)"
    assert against.startswith(f"{verdict} against plain training {how}.")
    assert finding in against
    assert "12 seeds, with 95 % intervals" in limits
    assert ("1 of 1 question" in limits) == finding.startswith("Open")


def test_each_method_that_is_compared_with_has_a_sentence() -> None:
    found = ledger({"baseline": 0.2, "weight_decay": -0.2})
    plain, tuned, _ = answer("own", EXPERIMENT, found, 1.0)
    assert plain.startswith("Mixing that is not tuned helps against plain training (input mixup:")
    assert "not tuned hurts against plain training that stops early" in tuned


def test_tuned_mixing_against_tuned_plain_training_comes_first() -> None:
    fixed = ledger({"baseline": 0.2, "weight_decay": -0.2})
    chosen = fixed[fixed["other"] == "weight_decay"].assign(method="chosen")
    first, second, third, _ = answer("own", EXPERIMENT, pd.concat([fixed, chosen]), 0.5)
    assert first.startswith("Tuned mixing hurts against plain training that stops early")
    assert "input mixup" not in first
    for said in (second, third):
        assert said.startswith("Mixing that is not tuned")
        assert "(input mixup: alpha 0.5 at the input)." in said
        assert "chosen" not in said


def test_layers_in_words() -> None:
    assert layers_text([0, 1, 2]) == "the input and hidden layers 1 and 2"
    assert layers_text([3]) == "hidden layer 3"
    assert layers_text(["input", "a", "b.0", "c"]) == "the input and layers a, b.0 and c"


def test_says_so_where_nothing_was_asked() -> None:
    found = ledger({"baseline": 0.2})
    assert answer("other", EXPERIMENT, found, 1.0) == ["No question was asked."]


def test_says_what_was_chosen_and_how_often() -> None:
    rows = [
        ("own", "chosen", seed, setting, value)
        for seed, alpha, layers in ((0, "1.0", "0"), (1, "0.2", "1"), (2, "0.2", "1"))
        for setting, value in (("alpha", alpha), ("eligible", layers))
    ]
    columns = ["experiment", "method", "seed", "setting", "chosen"]
    said, edge = about_choices(pd.DataFrame(rows, columns=columns), EXPERIMENT)
    assert edge.startswith("Chosen chose alpha 0.2 on 2 of 3 seeds, the smallest offered: ")
    assert edge.endswith("a wider list may choose less.")
    assert "chosen from 4: alpha 0.2, at hidden layer 1 on 2 of 3 seeds" in said
    assert "alpha 1.0, at the input on 1 of 3 seeds" in said


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([0, 1, 2], "at the input and hidden layers 1 and 2"),
        (["input", "blocks.0"], "at the input and layer blocks.0"),
        ([1, 2], "at hidden layers 1 and 2"),
        (["0", "2"], "at layers 0 and 2"),  # names of a Sequential's; "0" is not the input
    ],
)
def test_chosen_layers_are_said_in_words(layers: list[int | str], said: str) -> None:
    chosen = EXPERIMENT.methods["chosen"]
    assert chosen.choose
    choose = chosen.choose.model_copy(update={"eligible": [layers]})
    methods = {"chosen": chosen.model_copy(update={"choose": choose})}
    columns = ["experiment", "method", "seed", "setting", "chosen"]
    written = " ".join(map(str, layers))
    choices = pd.DataFrame([("own", "chosen", 0, "eligible", written)], columns=columns)
    (line,) = about_choices(choices, EXPERIMENT.model_copy(update={"methods": methods}))
    assert line.endswith(f": {said} on 1 of 1 seeds.")


@pytest.mark.parametrize(
    ("chosen", "edge"), [(["1.0", "1.0", "0.0"], "the largest"), (["0.0", "0.0", "1.0"], "")]
)
def test_the_edge_of_a_list_is_said_but_where_it_is_none(chosen: list[str], edge: str) -> None:
    columns = ["experiment", "method", "seed", "setting", "chosen"]
    rows = [("own", "weight_decay", seed, "weight_decay", each) for seed, each in enumerate(chosen)]
    said = " ".join(about_choices(pd.DataFrame(rows, columns=columns), EXPERIMENT))
    assert ("offered" in said) == bool(edge)
    assert edge in said


def test_says_when_the_validation_loss_is_lowest() -> None:
    rows = [("a", 0, 3, 0.5), ("a", 0, 6, 0.4), ("a", 0, 9, 0.6)]
    rows += [("b", 0, 3, 0.5), ("b", 0, 6, 0.4), ("b", 0, 9, 0.3)]
    columns = ["method", "seed", "step", "validation_loss"]
    histories = pd.DataFrame(rows, columns=columns)
    histories.index = pd.Index([0, 1, 2, 0, 1, 2])  # as of files put together
    said = about_steps(histories)
    assert "of 9, mean over seeds: a 6, b 9." in said
    assert said.endswith("still improving when it ended: raise epochs (b).")
    assert "improving" not in about_steps(histories[histories["method"] == "a"])
    assert about_steps(histories.assign(validation_loss=float("nan"))) == ""


def test_says_how_the_classes_are_balanced() -> None:
    about = {"n_samples": 40, "source": "my.csv", "counts": {"a": 30, "b": 10}, "imbalance": 3.0}
    said = about_data(about)
    assert "40 samples of my.csv; a 75 %, b 25 %; the largest class is 3.0 times" in said
    assert "times" not in about_data(about | {"counts": {"a": 20, "b": 20}, "imbalance": 1.0})
