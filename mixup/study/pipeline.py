"""What DVC knows of the train runs: which are out of date, and that one is done."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import networkx as nx
from dvc.exceptions import DvcException
from dvc.repo import Repo, lock_repo
from dvc.stage import PipelineStage
from dvc.stage.cache import RunCacheNotFoundError
from dvc_data.hashfile.hash_info import HashInfo

from mixup.study.errors import StudyError
from mixup.study.mend import mend
from mixup.study.training.config import RunKey

COMMAND = "python -m stages.train "
"""What the command of every train stage has; the words of a `RunKey` follow."""


class TrainStages:
    """The train stages of dvc.yaml, one a run.

    DVC stays the judge: what is out of date, what its run cache has, and what dvc.lock says are
    its own answers. Its Python API is used, as its commands load everything anew each time.
    """

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._stages: dict[RunKey, PipelineStage] = {}

    def bring_data_up_to_date(self) -> None:
        """Run whatever is out of date among the stages that train stages depend on."""
        graph = self._repo.index.graph
        needed = {stage for own in self._read() for stage in nx.descendants(graph, own)}
        # Asked first, as each target costs DVC another reading of dvc.lock.
        with lock_repo(self._repo):
            up_to_date = not any(stage.changed() for stage in needed)
        if not up_to_date:
            last = [stage for stage in needed if not needed & nx.ancestors(graph, stage)]
            self._repo.reproduce([stage.addressing for stage in last])

    def stale(self) -> list[RunKey]:
        """List the runs that are out of date, after those in DVC's cache are taken from there."""
        stale, restored = [], []
        with lock_repo(self._repo):
            self._stages = {_key(stage): stage for stage in self._read()}
            for key, stage in self._stages.items():
                if stage.changed():
                    if self._is_cached(stage):
                        stage.reproduce()
                        restored.append(stage)
                    else:
                        stale.append(key)
            self._write_lock_file(restored)
        return stale

    def record(self, keys: Iterable[RunKey]) -> None:
        """Record runs whose folders were just made, as `dvc commit` does."""
        stages = [self._stages[key] for key in keys]
        with lock_repo(self._repo):
            for stage in stages:
                stage.save()
                stage.commit()
            self._write_lock_file(stages)

    def name(self, key: RunKey) -> str:
        """Name the stage of a run as `dvc repro` wants it."""
        return str(self._stages[key].addressing)

    def _read(self) -> list[PipelineStage]:
        stages = self._repo.index.stages
        return [stage for stage in stages if COMMAND in (stage.cmd or "")]

    def _is_cached(self, stage: PipelineStage) -> bool:
        if stage.changed_stage() or not stage.deps_cached():
            # What dvc.lock has is of other deps: ask the run cache by those of now.
            stage.save_deps()
            for out in stage.outs:
                out.hash_info = HashInfo()
        try:
            self._repo.stage_cache.restore(stage, dry=True)
        except RunCacheNotFoundError:
            return False
        return True

    def _write_lock_file(self, stages: list[PipelineStage]) -> None:
        """Write dvc.lock once for all, where one command a stage would write it as often."""
        if stages:
            stages[0].dvcfile.dump_stages(stages, update_pipeline=False)


def _key(stage: PipelineStage) -> RunKey:
    experiment, method, seed = stage.cmd.partition(COMMAND)[2].split()
    return RunKey(experiment, method, int(seed))


@contextmanager
def train_stages() -> Iterator[TrainStages]:
    """Open the DVC repository of the current folder, mended where a kill has damaged it.

    Raises:
        StudyError: whatever DVC does not like while the block runs.
    """
    for name in ("dvc", "dvc_data", "dvc_objects"):
        # Its bars, one a file, would bury the launcher's; its errors come as exceptions.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with Repo(_wait_for_lock=True) as repo:
            mend(repo)
            yield TrainStages(repo)
    except DvcException as error:
        raise StudyError(" ".join(str(error).split())) from error
