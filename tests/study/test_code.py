"""Digests of code: what they are blind to, and what they notice."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from study.code import ROOT, stage_digests


def other_pythons() -> dict[str, str]:
    """Find the other versions of Python that are installed here and supported, one of each."""
    homes = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    on_path = map(shutil.which, ("python3.11", "python3.12", "python3.13"))
    found = [*map(str, homes.glob("3.1[1-9].*/bin/python")), *filter(None, on_path)]
    others = {version_of(python): python for python in found}
    return {v: others[v] for v in others.keys() - {version_of(sys.executable), ""}}


def version_of(python: str) -> str:
    """Ask a Python for its version, empty if it only points to one that is not there."""
    ask = "import sys; print(*sys.version_info[:2], sep='.')"
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    return done.stdout.strip()


@pytest.mark.slow
def test_digests_are_the_same_on_every_python(tmp_path: Path) -> None:
    program = (
        "import json, sys; sys.path.insert(0, sys.argv[1])\n"
        "from study.code import meaning, stage_digests\n"
        "files = open(sys.argv[2]).read().splitlines()\n"
        "print(json.dumps([stage_digests(), [meaning(open(f).read()) for f in files]]))"
    )
    files = tmp_path / "files"
    folders = ("mixup", "stages", "study", "tools")
    sources = [path for name in folders for path in (ROOT / name).rglob("*.py")]
    files.write_text("\n".join(map(str, sorted(sources))))
    others = other_pythons()
    if not others:
        pytest.skip("there is no other Python here")

    def answer(python: str) -> object:
        command = [python, "-c", program, str(ROOT), str(files)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    mine = answer(sys.executable)
    for version, python in others.items():
        assert answer(python) == mine, version


def test_committed_digests_are_those_of_the_code() -> None:
    for study in (ROOT, ROOT / "full"):
        committed = json.loads((study / "code.json").read_text())
        assert committed == stage_digests(), f"run `dvc repro code` in {study.name}"


def test_every_stage_depends_on_its_own_code_and_names_no_module() -> None:
    files = [ROOT / "dvc.yaml", *(ROOT / "full").rglob("dvc.yaml")]
    assert len(files) > 2
    for file in files:
        for name, stage in yaml.safe_load(file.read_text())["stages"].items():
            if name == "code":
                continue
            module = stage["cmd"].replace("stages ", "stages.").partition("stages.")[2].split()[0]
            named = [param["code.json"] for param in stage["params"] if isinstance(param, dict)]
            # train_ahead has work to do when a run has.
            assert named == [["train" if module == "train_ahead" else module]], name
            assert not [dep for dep in stage["deps"] if dep.endswith(".py") or "mixup" in dep]


def test_templates_of_a_new_study_name_the_code_of_their_stages() -> None:
    text = (ROOT / "tools/templates/new_study/dvc.yaml.j2").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("{%")]
    stages = yaml.safe_load("\n".join(lines).replace("{{ python }}", "python ../"))["stages"]
    for name, stage in stages.items():
        if name == "code":
            continue
        module = stage["cmd"].split()[2]
        (named,) = (param["code.json"] for param in stage["params"] if isinstance(param, dict))
        assert named[0] == ("train" if module == "train_ahead" else module), name
        builds_nets = module in ("train", "train_ahead", "allowances", "plots", "report")
        assert "own" in named or not builds_nets, name
