"""Captions are true of the numbers that they are made from."""

import pandas as pd
import pytest

from study.report.findings import drawn, finding, listed, overfitting
from study.tables import SUMMARY

MINUS = "\N{MINUS SIGN}"
NONE = float("nan")


def summary(**methods: tuple[float, ...]) -> pd.DataFrame:
    """Give each method a mean, and a difference with its interval."""
    rows = [
        ("e", method, "test_accuracy", 5, mean, NONE, NONE, NONE, *(difference or (NONE,) * 3))
        for method, (mean, *difference) in methods.items()
    ]
    return pd.DataFrame(rows, columns=SUMMARY)


def test_finding_says_higher_and_lower_only_where_the_interval_leaves_out_zero() -> None:
    said = finding(
        summary(
            baseline=(0.8,),
            input=(0.7, -0.1, -0.15, -0.05),
            hidden=(0.85, 0.05, -0.01, 0.11),
            manifold=(0.9, 0.1, 0.06, 0.14),
        ),
        "test_accuracy",
    )
    assert said == (
        "Test accuracy (mean of 5 seeds): 0.9 for manifold mixup, 0.85 for hidden mixup, 0.8 for "
        "baseline and 0.7 for input mixup. Against the baseline, paired by seed, it is higher for "
        f"manifold mixup (+0.100, +0.060 to +0.140); lower for input mixup ({MINUS}0.10, "
        f"{MINUS}0.15 to {MINUS}0.05); not clearly different for hidden mixup (+0.05, "
        f"{MINUS}0.01 to +0.11)."
    )


def test_finding_of_many_methods_names_both_ends_and_says_who_differs() -> None:
    others = {f"input_0_{i}": (0.8 + i / 100, i / 100, i / 100 - 0.045, 0.2) for i in range(1, 9)}
    assert finding(summary(baseline=(0.8,), **others), "test_accuracy") == (
        "Test accuracy (mean of 5 seeds): of 9 methods from 0.88 for input 0.8 down to 0.8 for "
        "baseline. Against the baseline, paired by seed, it is higher for input 0.5, input 0.6, "
        "input 0.7 and input 0.8; not clearly different for input 0.1, input 0.2, input 0.3 and "
        "input 0.4."
    )


def test_finding_of_what_is_the_same_for_all() -> None:
    table = summary(baseline=(0.25,), input=(0.25, 0, 0, 0), manifold=(0.25, 0, 0, 0))
    assert finding(table, "test_accuracy") == (
        "Test accuracy (mean of 5 seeds): 0.25 for each of 3 methods."
    )
    other_seeds = summary(baseline=(0.25,), manifold=(0.25, 0.01, -0.1, 0.1))
    assert "not clearly different for manifold mixup" in finding(other_seeds, "test_accuracy")


def test_finding_without_intervals_compares_nothing() -> None:
    table = summary(baseline=(0.8,), manifold=(0.9, 0.1, NONE, NONE)).assign(n=1)
    assert finding(table, "test_accuracy") == (
        "Test accuracy (one seed): 0.9 for manifold mixup and 0.8 for baseline."
    )


def test_finding_of_what_was_not_measured_is_empty() -> None:
    assert finding(summary(baseline=(0.8,)), "test_nll") == ""
    assert finding(summary(baseline=(NONE,)), "test_accuracy") == ""


def curves(**methods: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"method": method, "step": 10 * i, "quantity": "test_loss", "mean": loss}
            for method, losses in methods.items()
            for i, loss in enumerate(losses, 1)
        ]
    )


def test_overfitting_names_the_largest_rise_and_who_ends_lowest() -> None:
    said = overfitting(curves(baseline=[0.7, 0.5, 1.5], dropout=[0.6, 0.5, 0.6], input=[3, 2, 1]))
    assert said == (
        "The mean test loss rises most for baseline: from its lowest recorded value, 0.5 at step "
        "20, to 1.5 at step 30. It ends at its lowest for input mixup."
    )


def test_overfitting_of_nobody() -> None:
    assert "every method ends at its lowest" in overfitting(curves(a=[2, 1], b=[3, 1]))


def test_nothing_is_said_of_what_was_not_recorded() -> None:
    assert overfitting(curves(baseline=[1.0, NONE])) == ""
    assert drawn(pd.DataFrame({"method": "manifold", "k": [NONE], "lam": [NONE]}), 1.0) == ""


def test_drawn_compares_lam_with_its_distribution() -> None:
    rows = pd.DataFrame({"method": "manifold", "k": [0.0, 3.0], "lam": [0.25, 0.75]})
    said = drawn(rows, 1.0)
    assert said.startswith("2 steps were recorded. Their lam has mean 0.5 and standard deviation")
    assert "deviation 0.25; those of Beta(1, 1) are 0.5 and 0.289." in said
    assert said.endswith("The layers k recorded: 0, 3 for manifold mixup.")


@pytest.mark.parametrize(
    ("words", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_listed(words: list[str], text: str) -> None:
    assert listed(words) == text
