"""Every code block of docs/library.md runs, in order; docstring examples and the example too."""

import doctest
import importlib.util
import re
import runpy
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import nn

from mixup import MLP, ManifoldMixup
from mixup.mixing import entropy, formula, losses, manifold, plan, sampler

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(?:<!-- needs: (\w+) -->\n)?```python\n(.*?)```", re.DOTALL)


@pytest.mark.slow
def test_code_blocks_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) == text.count("```python") >= 10
    names: dict[str, Any] = {}
    torch.manual_seed(0)
    for block in blocks:
        needs, code = block.groups()
        if needs and importlib.util.find_spec(needs) is None:
            continue
        line = text[: block.start(2)].count("\n")
        with warnings.catch_warnings():
            if needs:  # its own warnings, at import
                warnings.simplefilter("ignore")
            exec(compile("\n" * line + code, "docs/library.md", "exec"), names)


def test_the_printed_plan_is_the_one_in_the_text() -> None:
    mixer = ManifoldMixup(MLP(2, [32] * 3, 3), ["input", "hidden.*"], alpha=2.0, seed=0)
    assert repr(mixer.draw(4)) in (ROOT / "docs" / "library.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("module", [entropy, formula, losses, manifold, plan, sampler])
def test_docstring_examples(module: Any) -> None:
    names = {"torch": torch, "nn": nn, **vars(module)}
    assert doctest.testmod(module, extraglobs=names).failed == 0


def test_mixing_hurts_where_the_page_says_so() -> None:
    ledger = pd.read_csv(ROOT / "full/metrics/claims.csv").set_index("id")
    assert (ledger.loc[["P-alpha-manifold", "P-alpha-input"], "high"] < 0).all()
    assert ledger.loc["F-calib-2d", "low"] > 0
    summary = pd.concat(
        pd.read_csv(ROOT / study / "metrics/summary.csv")
        for study in (".", "full", "examples/all_of_mnist")
    )
    inputs = summary["experiment"].str.startswith("mnist") & summary["method"].str.match("input")
    errors = summary[inputs & (summary["metric"] == "test_ece")]
    assert len(errors) >= 9
    assert (errors["difference"] > 0).all()


@pytest.mark.slow
def test_the_example_script_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = str(ROOT / "examples" / "mix_your_model.py")
    for options in (["--epochs", "5"], ["--epochs", "2", "--plain"]):
        monkeypatch.setattr(sys, "argv", [script, *options])
        runpy.run_path(script, run_name="__main__")
        accuracies = re.findall(r"test accuracy (\S+)", capsys.readouterr().out)
        assert len(accuracies) == int(options[1])
        assert float(accuracies[-1]) > (0.8 if "5" in options else 0.5)
