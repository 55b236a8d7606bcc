"""What dvc.yaml declares of a stage is what the stage reads and writes: no less and no more."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages import generate_spirals
from study.data.spirals import SPIRALS
from study.params import ParamsError
from tests.stages.conftest import ROOT, STAGES

STUDIES = (ROOT, ROOT / "full")
FULL: dict[str, Any] = yaml.safe_load((ROOT / "full/dvc.yaml").read_text())["stages"]


def outputs(stage: dict[str, Any]) -> set[str]:
    """List what a stage declares that it writes."""
    listed = [out for kind in ("outs", "metrics", "plots") for out in stage.get(kind, ())]
    return {next(iter(out)) if isinstance(out, dict) else out for out in listed}


def sections(stage: dict[str, Any]) -> list[str]:
    """List the sections of params.yaml that a stage declares."""
    return [key for key in stage["params"] if isinstance(key, str)]


def files(*paths: Path) -> dict[Path, bytes]:
    """Read all files at or below some paths."""
    found = [file for path in paths for file in (path, *path.rglob("*")) if file.is_file()]
    return {file: file.read_bytes() for file in found}


def copy(names: list[str], source: Path) -> None:
    """Copy what there is of some files and folders of a study to the current folder."""
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, name, dirs_exist_ok=True)
        elif (source / name).exists():
            shutil.copy(source / name, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_a_stage_makes_all_that_it_declares_of_what_it_declares(
    name: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = FULL[name]
    monkeypatch.chdir(tmp_path)
    copy([*stage["deps"], "code.json"], made)
    params = json.loads((made / "params.yaml").read_text())
    enough = {key: params[key] for key in sections(stage) if key in params}
    Path("params.yaml").write_text(json.dumps(enough))
    before = files(Path())
    STAGES[name]()
    written = {path: content for path, content in files(Path()).items() if path not in before}
    declared = files(*(made / out for out in outputs(stage)))
    assert set(written) == {path.relative_to(made) for path in declared}
    if name != "report":  # it shows params, and fewer here
        assert written == {path.relative_to(made): text for path, text in declared.items()}
    for key in enough if name != "report" else ():  # it shows what it has no need of
        Path("params.yaml").write_text(json.dumps({k: v for k, v in enough.items() if k != key}))
        with pytest.raises(ParamsError, match=f"{key} is missing"):
            STAGES[name]()


def test_a_data_set_of_spirals_goes_by_the_name_of_its_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "mirrored_spirals"
    params = yaml.safe_load((ROOT / "full/params.yaml").read_text())
    Path("params.yaml").write_text(json.dumps({name: params[name]}))
    generate_spirals.main(name)
    made = {str(path) for path in files(Path())} - {"params.yaml"}
    assert made == outputs(FULL[f"generate_{name}"])


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_train_stages_declare_all_that_a_run_depends_on(study: Path) -> None:
    experiments = yaml.safe_load((study / "params.yaml").read_text())["experiments"]
    groups = set()
    for file in (study / "dvc.yaml", *study.glob("experiments/*/dvc.yaml")):
        for name, stage in yaml.safe_load(file.read_text())["stages"].items():
            if not (found := re.search(r"stages[. ]train (\w+) ", stage["cmd"])):
                continue
            experiment, group = found[1], name.rpartition("_")[2]
            groups.add((experiment, group))
            place = f"experiments.{experiment}"
            assert stage["matrix"]["method"] == f"${{{place}.{group}}}"
            assert stage["cmd"].endswith(f" {experiment} ${{item.method}} ${{item.seed}}")
            assert sections(stage) == [
                *(["mixup"] if group == "mixing" else []),
                "compute",
                *(f"{place}.{key}" for key in ("data", "net", "training")),
                f"{place}.methods.${{item.method}}",
            ], name
            data = f"data/{experiments[experiment]['data']}.npz"
            assert stage["deps"] == [data, "data/trained_ahead"], name
            assert stage["outs"] == [f"runs/{experiment}/${{item.method}}/${{item.seed}}"], name
    assert groups == {(name, group) for name in experiments for group in ("plain", "mixing")}


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_the_tables_that_are_summed_up_are_dependencies(study: Path) -> None:
    stage = yaml.safe_load((study / "dvc.yaml").read_text())["stages"]["summarize"]
    tables = re.findall(r"metrics/\S+", stage["cmd"])
    assert {*tables, "runs"} == set(stage["deps"])


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_the_page_depends_on_the_picture_of_each_data_set_of_spirals(study: Path) -> None:
    stage = yaml.safe_load((study / "dvc.yaml").read_text())["stages"]["report"]
    shown = {f"figures/{name}_data.png" for name in sections(stage) if name in SPIRALS}
    assert shown == {dep for dep in stage["deps"] if dep.endswith("_data.png")} != set()


def test_the_two_studies_declare_the_same_of_the_same_stages() -> None:
    quick = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    both = [name for name in STAGES if name in quick]
    assert len(both) == 7
    in_full_alone = {out for name in FULL if name not in quick for out in outputs(FULL[name])}
    in_full_alone |= {"mirrored_spirals", "states", "robustness"}
    for name in both:
        mine, full = quick[name], FULL[name]
        assert outputs(mine) == outputs(full), name
        assert set(mine["deps"]) == set(full["deps"]) - in_full_alone, name
        assert set(sections(mine)) == set(sections(full)) - in_full_alone, name
