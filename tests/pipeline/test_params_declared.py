"""A stage reads the params that it declares to DVC: no more, which DVC would not see, no fewer."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from dvc.repo import Repo

from study.params import read_params
from tests.commands import call
from tests.pipeline.project import ROOT, Project

pytestmark = pytest.mark.slow

STAGES = [
    "download_mnist",
    "train_spirals_plain@baseline-0",
    "train_spirals_mixing@manifold-0",
    "train_mnist_2d_plain@baseline-0",
    "train_mnist_2d_mixing@manifold-0",
    "train_mnist_12d_plain@baseline-0",
    "report",
]
"""Those that tests/stages/test_declared.py cannot run, or not so closely."""
OVER_ALL = ("train_ahead", "embed", "svd", "summarize", "claims", "plots", "report")


@pytest.fixture(scope="module")
def project(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return finished.copy(tmp_path_factory.mktemp("declared") / "study")


@pytest.fixture(scope="module")
def declared(project: Project) -> dict[str, tuple[str, list[str]]]:
    """Ask DVC for each stage's command and declared params."""
    with Repo(str(project.folder)) as repo:
        return {
            stage.name: (
                stage.cmd,
                params_of(stage),
            )
            for stage in repo.index.stages
        }


def params_of(stage: Any) -> list[str]:
    """List the keys of params.yaml that a stage declares."""
    found = [dep for dep in stage.deps if dep.def_path == "params.yaml"]
    return [key for dep in found for key in getattr(dep, "params", [])]


def section(params: dict[str, Any], key: str) -> tuple[dict[str, Any], str]:
    *path, last = key.split(".")
    for part in path:
        params = params[part]
    return params, last


def only(params: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key in keys:
        inner = kept
        *path, last = key.split(".")
        for part in path:
            inner = inner.setdefault(part, {})
        source, _ = section(params, key)
        inner[last] = copy.deepcopy(source[last])
    return kept


@pytest.mark.parametrize("stage", STAGES)
def test_params_read_are_params_declared(
    project: Project,
    untouched: Project,
    declared: dict[str, tuple[str, list[str]]],
    stage: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command, keys = declared[stage]
    assert keys
    _, _, module, *words = command.split()
    monkeypatch.chdir(project.folder)
    params = untouched.params() | {"seeds": [0]}
    enough = only(params, keys)
    project.write_params(enough)
    assert call(module, *words) == (0, "")
    for key in keys:
        fewer = copy.deepcopy(enough)
        inner, last = section(fewer, key)
        del inner[last]
        project.write_params(fewer)
        status, said = call(module, *words)
        assert status == 1, f"{stage} declares {key} and does not read it"
        assert "is missing" in said


def leaves(params: object, path: str = "") -> Iterator[str]:
    if isinstance(params, dict) and params:
        for key, value in params.items():
            yield from leaves(value, f"{path}.{key}" if path else key)
    else:
        yield path


def test_every_key_of_the_committed_params_is_read_by_a_stage() -> None:
    with Repo(str(ROOT)) as repo:
        keys = {
            key
            for stage in repo.index.stages
            # these declare all experiments, to know which runs there are
            if not stage.name.startswith(OVER_ALL)
            for key in params_of(stage)
        }
    unread = [
        leaf
        for leaf in leaves(read_params(ROOT / "params.yaml"))
        if not any(leaf == key or leaf.startswith(f"{key}.") for key in keys)
    ]
    # what is left is what dvc.yaml makes its matrix of
    assert {leaf.rpartition(".")[2] for leaf in unread} == {"seeds", "plain", "mixing"}
