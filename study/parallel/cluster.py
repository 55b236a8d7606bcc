"""Train on the workers of a Dask cluster, which need no disk in common with this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path

from distributed import Client, get_worker

from study.data.dataset import Dataset, load_dataset
from study.errors import StudyError
from study.parallel.job import Job, Outcome, do_job, failed, outcomes_of
from study.parallel.local import TICK, UnderWay

SECONDS_TO_CONNECT = 10


class ClusterPool:
    """The workers of a Dask scheduler.

    Dask does a run again elsewhere when its worker is lost. A data set is sent to the workers
    once, and from worker to worker after that.

    Args:
        address: of the scheduler, such as ``tcp://127.0.0.1:8786``.

    Raises:
        StudyError: there is no scheduler, it has no worker, or a worker has several threads.
    """

    def __init__(self, address: str) -> None:
        try:
            self._client = Client(address, timeout=SECONDS_TO_CONNECT)
        except Exception as error:  # Dask has many for a wrong address or certificate
            reason = str(error) or type(error).__name__
            raise StudyError(f"no Dask scheduler answers at {address}: {reason}") from error
        threads = self._client.nthreads()
        if not threads or max(threads.values()) > 1:
            self._client.close()
            what = "a worker with several threads" if threads else "no worker"
            raise StudyError(
                f"the scheduler at {address} has {what}: start `python -m dask worker {address} "
                "--nthreads 1`, as often as there are cores"
            )
        self._executor = self._client.get_executor(pure=False)
        self._data: dict[Path, object] = {}
        self.about = f"{len(threads)} worker{'s' * (len(threads) > 1)} of {address}"

    def outcomes(
        self, jobs: Sequence[Job], under_way: UnderWay
    ) -> Iterator[tuple[Job, list[Outcome]]]:
        """Do ``jobs`` and yield each with what became of its runs; see `LocalPool.outcomes`."""
        working = {self._submit(job): job for job in jobs}
        while working:
            under_way([])
            done, _ = wait(working, timeout=TICK, return_when=FIRST_COMPLETED)
            for future in done:
                job = working.pop(future)
                yield job, outcomes_of(job, future)

    def _submit(self, job: Job) -> Future[list[Outcome]]:
        if job.data not in self._data:
            dataset = load_dataset(job.data)
            # A task, and not scattered: Dask makes it again when the worker that has it is lost.
            self._data[job.data] = self._client.submit(_hold, dataset, pure=False)
        future: Future[list[Outcome]]
        future = self._executor.submit(_do_alone, job, self._data[job.data])
        return future

    def close(self) -> None:
        """Take back what is not done; a run under way ends on its worker and is thrown away."""
        self._executor.shutdown(wait=False)
        self._client.close()


def _hold(dataset: Dataset) -> Dataset:
    return dataset


def _do_alone(job: Job, dataset: Dataset) -> list[Outcome]:
    worker = get_worker()
    # torch's threads and its random generator belong to the whole process.
    if worker.state.nthreads > 1:
        reason = f"the worker {worker.address} has several threads: start it with --nthreads 1"
        return failed(job, reason)
    return do_job(job, dataset)
