"""A params.yaml that cannot run stops `dvc repro` before any training, naming key and value."""

from typing import Any

import pytest

from tests.pipeline.conftest import Project, stages_run

pytestmark = pytest.mark.slow

# What else is refused, and in which words: tests/study/test_validation.py.
BAD: list[tuple[str, Any, str]] = [
    ("mixup.alhpa", 2.0, "mixup.alhpa is not a known key"),
    ("experiments.mnist_2d.net.bottleneck.layer", 6, "bottleneck.layer <= depth (5)"),
]


@pytest.fixture(scope="module")
def project(untouched: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return untouched.copy(tmp_path_factory.mktemp("bad") / "study")


@pytest.mark.parametrize(("key", "value", "said"), BAD)
def test_bad_value_stops_before_any_work(
    project: Project, untouched: Project, key: str, value: Any, said: str
) -> None:
    project.write_params(untouched.params())
    project.turn(key, value)
    done = project.run("dvc", "repro", check=False)
    assert done.returncode != 0
    assert stages_run(done.stdout) <= {"code", "validate"}
    assert said in done.stderr
    assert key.split(".")[-1] in done.stderr
    assert "Traceback" not in done.stderr


def test_text_instead_of_the_seeds_is_named_by_the_check(
    project: Project, untouched: Project
) -> None:
    """DVC cannot read its matrix from a text, and stops before any stage without saying why."""
    project.write_params(untouched.params())
    project.turn("seeds", "abc")
    done = project.run("dvc", "repro", check=False)
    assert done.returncode != 0
    assert stages_run(done.stdout) == set()
    done = project.run("python", "-m", "stages.validate", check=False)
    assert done.returncode == 1
    assert done.stderr == "error: seeds should be a valid list, got 'abc'\n"
