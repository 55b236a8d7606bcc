"""What README.md and docs/recipes.md promise: links, and `dvc exp run` lines."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from study.inference.ledger import read_ledger
from study.inference.verdicts import VERDICTS
from study.training.config import all_runs
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
    # a sweep is one value at a time
    one_each = [s if "[" in s else s.split(",")[0] for s in settings]
    apply_overrides(str(tmp_path / "params.yaml"), one_each)
    after = yaml.safe_load((tmp_path / "params.yaml").read_text())
    read_study(tmp_path / "params.yaml")
    assert after != before


def test_there_are_recipes() -> None:
    assert len(experiments()) >= 6


def test_links_to_files_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_counts_of_the_paper_are_those_of_its_ledger() -> None:
    verdicts = read_ledger(ROOT / "full/metrics/claims.csv")["verdict"].tolist()
    supported, contradicted, n_open = (verdicts.count(verdict) for verdict in VERDICTS)
    said = (
        f"Of its {len(verdicts)} claims {supported} are supported, {contradicted} contradicted and "
        f"{n_open} open"
    )
    assert said in " ".join(README.split())
    study = read_study(ROOT / "full/params.yaml")
    assert f"its {len(all_runs(study.seeds, study.experiments))} small nets" in README
