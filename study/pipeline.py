"""What DVC knows of the stages, asked by its Python API, which is only read.

DVC stays the judge of what is out of date; nothing but DVC writes dvc.lock.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psutil
from dvc.dependency import param
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from dvc.stage import PipelineStage
from dvc.stage.cache import RunCacheNotFoundError
from dvc.utils.serialize import ParseError, load_yaml
from dvc_data.hashfile.hash_info import HashInfo
from voluptuous import Invalid

from study.errors import StudyError
from study.paths import RunKey

TRAIN = re.compile(r"stages[. ]train (\S+) (\S+) (\d+)$")
"""How the command of a train stage ends."""
MISSING = {"deleted", "not in cache"}
"""What DVC says of an output that is not there."""


class TrainStage(NamedTuple):
    """The stage of one run."""

    key: RunKey
    name: str
    """As `dvc repro` wants it."""
    is_out_of_date: bool
    """Whether DVC would train the run, which its cache does not have either."""


def train_stages() -> list[TrainStage]:
    """Ask DVC for the train stages, and which of them it would run.

    Raises:
        StudyError: there is something that DVC does not like.
    """
    logging.getLogger("dvc").setLevel(logging.CRITICAL)  # what it says in asking is no news
    without_outputs = _dvc_does_without_outputs()
    try:
        with _params_parsed_once(), Repo() as repo:
            found = ((TRAIN.search(stage.cmd or ""), stage) for stage in repo.index.stages)
            return [
                TrainStage(
                    RunKey(match[1], match[2], int(match[3])),
                    str(stage.addressing),
                    _is_changed(stage, without_outputs) and not _is_cached(repo, stage),
                )
                for match, stage in found
                if match
            ]
    except DvcException as error:
        raise StudyError(" ".join(str(error).split())) from error


def makers_of(path: Path) -> list[str]:
    """Name the stages that have a file, or a folder that it lies in, as an output."""
    try:
        with Repo() as repo:
            outs = [out for out in repo.index.outs if path.resolve().is_relative_to(out.fs_path)]
            return sorted({str(out.stage.addressing) for out in outs})
    except Exception:  # no repository, or one that is not as it should be
        return []


def lock_file_is_damaged(path: Path) -> bool:
    """Tell whether DVC refuses its dvc.lock, which it rewrites in place, as cut off by a kill."""
    try:
        COMPILED_LOCKFILE_SCHEMA(load_yaml(path))
    except (ParseError, Invalid):
        return True
    except FileNotFoundError:
        pass
    return False


@contextmanager
def _params_parsed_once() -> Iterator[None]:
    """Keep DVC from parsing params.yaml anew for each stage: a minute with some hundred of them."""
    load = param.load_path
    param.load_path = cache(load)
    try:
        yield
    finally:
        param.load_path = load


def _dvc_does_without_outputs() -> bool:
    """Tell whether the DVC that runs us was told to fetch missing outputs, or not to want them."""
    words = set[str]()
    for process in psutil.Process().parents():
        with suppress(psutil.Error):
            words.update(process.cmdline())
    return not words.isdisjoint(("--pull", "--allow-missing"))


def _is_changed(stage: PipelineStage, without_outputs: bool) -> bool:
    """Tell what `PipelineStage.changed` does, which waits for the `dvc repro` that runs us."""
    deps = [] if stage.frozen else stage.deps
    if stage.changed_stage() or any(dep.status() for dep in deps):
        return True
    states = {state for out in stage.outs for state in out.status().values()}
    return bool(states - MISSING if without_outputs else states)


def _is_cached(repo: Repo, stage: PipelineStage) -> bool:
    if stage.changed_stage() or not stage.deps_cached():
        # What dvc.lock has is of other deps: ask the run cache by those of now.
        stage.save_deps()
        for out in stage.outs:
            out.hash_info = HashInfo()
    try:
        repo.stage_cache.restore(stage, dry=True)
    except RunCacheNotFoundError:
        return False
    return True
