"""benchmarks/mutants.yaml: what it explains is in the code."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
EXPLAINED = yaml.safe_load((ROOT / "benchmarks/mutants.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", EXPLAINED)
def test_explained_mutants_are_of_lines_of_their_module(module: str) -> None:
    lines = {line.strip() for line in (ROOT / f"{module}.py").read_text("utf-8").splitlines()}
    for reason in EXPLAINED[module]:
        for old, mutants in reason["mutants"].items():
            assert old in lines
            for new in mutants:
                assert isinstance(new, str)
                assert new != old
