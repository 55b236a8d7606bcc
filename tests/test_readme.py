"""What README.md and docs/recipes.md promise: code, links, counts and `dvc exp run` lines."""

import json
import re
import shlex
import shutil
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from dvc.utils.hydra import apply_overrides
from torch import nn
from torch.nn import functional as F

from study.training.experiment import all_runs
from study.validation import read_study

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
RECIPES = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")


def experiments() -> list[list[str]]:
    """Collect the -S settings of every `dvc exp run` line, each once."""
    lines = f"{README}\n{RECIPES}".replace("\\\n", " ").splitlines()
    commands = [
        shlex.split(line, comments=True)
        for line in dict.fromkeys(re.sub(" +", " ", line) for line in lines)
        if "dvc exp run" in line and line.startswith("dvc")
    ]
    return [
        [command[i + 1] for i, word in enumerate(command) if word == "-S"] for command in commands
    ]


@pytest.mark.parametrize("settings", experiments(), ids=" ".join)
def test_exp_run_lines_set_keys_that_exist_to_values_that_pass(
    settings: list[str], tmp_path: Path
) -> None:
    before = yaml.safe_load((ROOT / "params.yaml").read_text())
    shutil.copy(ROOT / "params.yaml", tmp_path / "params.yaml")
    apply_overrides(str(tmp_path / "params.yaml"), settings)
    after = yaml.safe_load((tmp_path / "params.yaml").read_text())
    read_study(tmp_path / "params.yaml")
    assert after != before


def test_there_are_recipes() -> None:
    assert len(experiments()) >= 6


def test_links_to_files_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_the_code_in_the_readme_mixes_a_model_as_it_says() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    torch.manual_seed(0)
    layers = {"layer1": nn.Linear(2, 8), "layer2": nn.Linear(8, 8), "head": nn.Linear(8, 3)}
    model = nn.Sequential(OrderedDict(layers))
    x, y = torch.randn(6, 2), torch.randint(3, (6,))
    names: dict[str, Any] = {"model": model, "x": x, "y": y}
    exec(code, names)
    plan, output = names["plan"], names["output"]
    own, partners = (F.cross_entropy(output, labels) for labels in (y, y[plan.perm]))
    torch.testing.assert_close(names["loss"], plan.lam * own + (1 - plan.lam) * partners)
    names["loss"].backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_counts_of_runs_are_those_of_the_default_study() -> None:
    study = read_study(ROOT / "params.yaml")
    mixing = sum(len(of.mixing) for of in study.experiments.values()) * len(study.seeds)
    n_runs = len(all_runs(study.seeds, study.experiments))
    assert f'"{mixing} runs to train": those that mix, of {n_runs}' in README
    n_methods = sum(len(of.all_methods) for of in study.experiments.values())
    assert f"a sixth seed: trains its own {n_methods} runs" in README
    assert study.seeds == [0, 1, 2, 3, 4]


def test_the_changes_shown_are_of_the_committed_headline() -> None:
    headline = json.loads((ROOT / "metrics/headline.json").read_text(encoding="utf-8"))
    rows = re.findall(r"^metrics/headline.json +(\S+) +(\S+) +\S+ +\S+$", README, re.MULTILINE)
    for path, before in rows:
        value = headline
        for key in path.split("."):
            value = value[key]
        assert float(before) == value
    mixing = {"input", "hidden", "manifold"}
    changed = [len(of[name]) for of in headline.values() for name in mixing & of.keys()]
    verdicts = ("supported", "contradicted", "inconclusive")
    assert f"(Five of its {sum(changed) + len(verdicts)} lines.)" in README
    assert len(rows) == 5


def test_the_picture_of_the_pipeline_has_its_stages() -> None:
    drawn = re.findall(r"<text[^>]*>([a-z*_]+)</text>", (ROOT / "docs/dag.svg").read_text("utf-8"))
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    kinds = {re.sub("^train_.*(?=_plain|_mixing)", "train_*", name) for name in stages}
    assert set(drawn) == kinds
