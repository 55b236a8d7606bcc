"""Read what revisions hold: the workspace, commits, branches, tags and DVC experiments."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import dvc.api
import pandas as pd
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.scm import NoSCM, resolve_rev

from study.errors import FileError, StudyError
from study.params import shown
from study.paths import FIGURES
from study.place import PACKAGES, PINS, beside_code, study_folder
from study.report.page import picture

WORKSPACE = "workspace"
CODE = (*PACKAGES, "tools", PINS)
OF_STUDY = ("dvc.yaml", "claims.yaml")
MADE_OF_STUDY = ("params.yaml", "dvc.lock", "metrics")


@dataclass(frozen=True)
class Revision:
    """A commit with the name it was asked for by, or the workspace."""

    name: str
    commit: str | None = None
    """Its full hash; None for the workspace."""
    about: str = "the files as they are now"
    folder: str = "."
    """Where DVC finds the study's files in it: a commit may hold several studies."""

    @property
    def in_dvc(self) -> str:
        """What DVC's Python API is to be asked for."""
        return self.commit or WORKSPACE


@contextmanager
def repository() -> Iterator[Repo]:
    """Open the DVC repository of the current folder, which must be in Git.

    Raises:
        StudyError: it is not, or whatever DVC does not like while the block runs.
    """
    try:
        with Repo() as repo:
            if isinstance(repo.scm, NoSCM):
                raise StudyError("there are no revisions: Git does not track this folder")
            yield repo
    except DvcException as error:
        raise StudyError(" ".join(str(error).split())) from error


def find_revision(repo: Repo, name: str) -> Revision:
    """Look a revision up.

    Args:
        repo: what `repository` gives.
        name: ``workspace``, whatever Git calls a commit, or the name of a DVC experiment.

    Raises:
        StudyError: there is none of that name.
    """
    if name == WORKSPACE:
        return Revision(name)
    try:
        # An empty name would be HEAD to Git.
        commit: Any = repo.scm.resolve_commit(resolve_rev(repo.scm, name)) if name else None
    # The latter two for a folder or file in a commit, and for thousands of digits.
    except (DvcException, AttributeError, ValueError):
        commit = None
    if commit is None:
        raise StudyError(f"{shown(name)} is not a commit, branch, tag or DVC experiment")
    day = datetime.fromtimestamp(commit.commit_time, UTC).date()
    subject = commit.message.strip().partition("\n")[0]
    if subject.startswith("dvc: commit experiment"):
        subject = "a DVC experiment"
    folder = os.path.relpath(repo.root_dir, repo.scm.root_dir)
    return Revision(name, commit.hexsha, f"{commit.hexsha[:7]}, {day}, {subject}", folder)


def params_at(revision: Revision) -> dict[str, Any]:
    """Read the parameters of a revision; there are none where it does not hold the study."""
    try:
        found: dict[str, Any] = dvc.api.params_show(rev=revision.commit)
    except FileNotFoundError:
        return {}
    return found


def experiments_of(repo: Repo, base: str) -> Iterator[tuple[Revision, str | None]]:
    """List the rows of ``dvc exp show`` of this study: the base and its experiments.

    Yields:
        Each one, named as DVC shows it, and its state, None or "Success" if it is finished.
    """
    start = find_revision(repo, base)
    for row in dvc.api.exp_show(revs=base):
        if row["rev"] == WORKSPACE:
            continue
        name = row["Experiment"] or row["rev"]
        revision = replace(find_revision(repo, row["rev"]), name=name)
        if not row["Experiment"] or changes_this_study(start, revision):
            yield revision, row["State"]


def changes_this_study(base: Revision, experiment: Revision) -> bool:
    """Whether an experiment is one of this study: DVC lists those of all in the Git repository."""
    return bool(files_that_differ(base, experiment, *OF_STUDY, *MADE_OF_STUDY))


def table_at(revision: Revision, path: str, columns: Sequence[str]) -> pd.DataFrame:
    """Read a CSV file of a revision.

    Raises:
        StudyError: the revision lacks the file, or the file lacks a column.
    """
    try:
        text = dvc.api.read(
            os.path.normpath(os.path.join(revision.folder, path)), rev=revision.commit
        )
    except (DvcException, FileNotFoundError) as error:
        raise StudyError(f"{revision.name} holds no results: it has no {path}") from error
    # As study.tables does: a method may be called "None" or "NA".
    table = pd.read_csv(StringIO(text), keep_default_na=False, na_values=[""])
    if missing := [column for column in columns if column not in table]:
        raise StudyError(f"{path} of {revision.name} has no column {', '.join(missing)}")
    return table


def difference(result: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """Take what ``metrics.diff`` or ``params.diff`` of DVC's `Repo` found: file -> key -> old, new.

    Raises:
        StudyError: a file cannot be read; one that is absent from a revision is none to read.
    """
    for name, errors in result.get("errors", {}).items():
        for file, error in (errors if isinstance(errors, dict) else {"": errors}).items():
            if not isinstance(error, FileNotFoundError):
                revision = name if name == WORKSPACE else name[:7]
                reason = " ".join(str(error).split())
                raise StudyError(f"{file} of {revision} cannot be read: {reason}")
    found: dict[str, dict[str, dict[str, Any]]] = result.get("diff", {})
    return found


def figures_of(revision: Revision) -> dict[str, str]:
    """Read the figures of a revision: name -> data URI; none if it has no figures.

    Raises:
        StudyError: a figure is damaged.
    """
    figures = os.path.normpath(os.path.join(revision.folder, FIGURES))
    # as `dvc.api.read` looks: the study may lie in a folder of a repository, and others beside it
    where = {"rev": revision.commit, "subrepos": True, "uninitialized": True}
    with (
        closing(dvc.api.DVCFileSystem(**where)) as files,
        tempfile.TemporaryDirectory() as folder,
    ):
        if not files.exists(figures):
            return {}
        files.get(figures, folder, recursive=True)
        try:
            return {path.stem: picture(path) for path in Path(folder).rglob("*.png")}
        except FileError as error:
            raise StudyError(
                f"the figure {error.path.name} of {revision.name} is damaged"
            ) from error


def code_that_differs(a: Revision, b: Revision) -> list[str]:
    """List the files of code that differ."""
    code = map(beside_code, CODE) if study_folder() else CODE
    return files_that_differ(a, b, *OF_STUDY, *code)


def files_that_differ(a: Revision, b: Revision, *names: str) -> list[str]:
    """List the files that differ, of those named and in folders that are named, by ``git diff``."""
    commits = [revision.commit for revision in (a, b) if revision.commit]
    command = ["git", "diff", "--name-only", *commits, "--", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StudyError(f"git diff failed: {' '.join(done.stderr.split())}")
    return done.stdout.splitlines()


def stages_to_run(repo: Repo) -> list[str]:
    """Name the stages that are out of date in the workspace, by ``dvc status``."""
    return list(repo.status())
