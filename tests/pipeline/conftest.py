"""The tiny study, before anything ran, with its data, and finished."""

import shutil
from pathlib import Path

import pytest

from tests.once import once
from tests.pipeline.project import Project, make_study


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make the tiny study in a new Git repository; nothing has run."""
    return Project(once(tmp_path_factory, "untouched", make_study) / "study")


@pytest.fixture(scope="session")
def with_data(untouched: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make the data sets of the tiny study; nothing is trained."""

    def run(folder: Path) -> None:
        untouched.copy(folder / "study").repro("generate_spirals", "download_mnist")

    return Project(once(tmp_path_factory, "with_data", run) / "study")


@pytest.fixture(scope="session")
def finished(untouched: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Run the tiny study once and commit its results."""

    def run(folder: Path) -> None:
        project = untouched.copy(folder / "study")
        project.repro()
        shutil.rmtree(project.folder / "ahead")
        project.commit("results")

    return Project(once(tmp_path_factory, "finished", run) / "study")


@pytest.fixture
def study(finished: Project, tmp_path: Path) -> Project:
    """Copy the finished tiny study for one test."""
    return finished.copy(tmp_path / "study")


@pytest.fixture
def new_study(untouched: Project, tmp_path: Path) -> Project:
    """Copy the tiny study, before anything ran, for one test."""
    return untouched.copy(tmp_path / "study")


@pytest.fixture
def untrained(with_data: Project, tmp_path: Path) -> Project:
    """Copy the tiny study, with data and without runs, for one test."""
    return with_data.copy(tmp_path / "study")
