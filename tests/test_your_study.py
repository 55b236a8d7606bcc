"""docs/your-study.md: its commands, its net and what it says of the examples."""

import re
from pathlib import Path

import pandas as pd
import torch

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/your-study.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "examples"


def section(name: str) -> str:
    return PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_findings_are_those_of_the_committed_examples() -> None:
    paragraphs = section("Three examples").split("\n\n")
    checked = 0
    for name in ("digits", "breast_cancer", "fashion_mnist"):
        answer = (EXAMPLES / name / "metrics/answer.txt").read_text(encoding="utf-8")
        (said,) = (text for text in paragraphs if text.startswith(f"[examples/{name}]"))
        for quoted in re.findall(r"`([^`]+)`", " ".join(said.split())):
            assert quoted in answer, name
            checked += 1
    assert checked == 9


def test_means_are_those_of_the_committed_examples() -> None:
    summary = pd.read_csv(EXAMPLES / "digits/metrics/summary.csv")
    means = summary.set_index(["method", "metric"])["mean"]
    said = " ".join(section("Three examples").split())
    assert f"right on {100 * means['baseline', 'test_accuracy']:.1f} % of test digits" in said
    before, after = (means["input", f"{kind}test_nll"] for kind in ("", "tempered_"))
    assert f"from an NLL of {before:.3f} to {after:.3f}" in said


def test_as_many_test_samples_as_the_accuracies_are_shares_of() -> None:
    (said,) = re.findall(r"as (\d+) test samples tell little", " ".join(PAGE.split()))
    runs = pd.read_csv(EXAMPLES / "breast_cancer/metrics/runs.csv")
    right = runs.loc[runs["metric"] == "test_accuracy", "value"] * int(said)
    assert (right - right.round()).abs().max() < 0.001


def test_the_images_stop_at_the_last_step_on_every_seed() -> None:
    found = pd.read_csv(EXAMPLES / "fashion_mnist/metrics/allowances.csv")
    steps = found.loc[found["metric"] == "stopped_step", "value"]
    assert (steps == 12 * (8000 // 128)).all()


def test_the_digits_choose_the_smallest_alpha_on_every_seed() -> None:
    choices = (EXAMPLES / "digits/metrics/choices.csv").read_text(encoding="utf-8")
    alphas = re.findall(r"chosen_mixup,\d+,alpha,(.*)", choices)
    assert alphas == ["0.2"] * 10


def test_the_net_of_the_page_is_one() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict = {}
    exec(code, names)
    assert names["build"]((4,), 3)(torch.zeros(2, 4)).shape == (2, 3)
