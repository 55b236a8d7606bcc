"""Put right what a killed DVC left behind, so that the next launch goes on by itself."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import psutil
from dvc.lock import make_lock
from dvc.repo import Repo, lock_repo
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from dvc.utils.serialize import ParseError, load_yaml
from voluptuous import Invalid

from mixup.study.files import LEFTOVERS

OUTPUTS = ("data", "runs", "embeddings", "metrics", "figures", "report", "timings")


def mend(repo: Repo) -> None:
    """Put a damaged dvc.lock aside, and remove whatever else a kill cut short.

    Args:
        repo: of the current folder; nothing of it is read before.
    """
    with lock_repo(repo):
        _put_damaged_lock_file_aside(repo)
        # DVC takes the newest file there for the record of a run, be it whole or not.
        for half_record in Path(repo.stage_cache.cache_dir).glob(f"*/*/{LEFTOVERS}"):
            half_record.unlink()
        if not _somebody_is_at_work(repo):
            _remove_leftovers()


def _put_damaged_lock_file_aside(repo: Repo) -> None:
    """Rename dvc.lock if DVC, which rewrites it in place, left half a file.

    Without the file DVC takes finished runs from its run cache.
    """
    lock_file = Path("dvc.lock")
    try:
        COMPILED_LOCKFILE_SCHEMA(load_yaml(lock_file))
    except FileNotFoundError:
        return
    except (ParseError, Invalid):
        aside = Path(os.path.relpath(repo.tmp_dir), "damaged.lock")
        os.replace(lock_file, aside)
        print(f"dvc.lock was damaged and is put aside as {aside}", file=sys.stderr)


def _somebody_is_at_work(repo: Repo) -> bool:
    """Read from DVC's list of who is at what whether any of them lives; half a list is removed."""
    path = Path(repo.tmp_dir, "rwlock")
    with make_lock(f"{path}.lock", tmp_dir=repo.tmp_dir):
        try:
            listed = json.loads(path.read_text(encoding="utf-8"))
            readers = [reader for place in listed["read"].values() for reader in place]
            everybody = [*listed["write"].values(), *readers]
            return any(psutil.pid_exists(one["pid"]) for one in everybody)
        except FileNotFoundError:
            return False
        except (ValueError, LookupError, TypeError, AttributeError):
            path.unlink()
            return False


def _remove_leftovers() -> None:
    """Remove what stages that were killed had begun to write."""
    roots = [Path(name) for name in OUTPUTS]
    found = [*Path().glob(LEFTOVERS), *(path for root in roots for path in root.rglob(LEFTOVERS))]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
