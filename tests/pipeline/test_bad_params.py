"""A params.yaml that cannot run stops `dvc repro` before any training, naming key and value."""

import pytest

from tests.pipeline.project import Project, stages_run

pytestmark = pytest.mark.slow


def test_bad_value_stops_before_any_work(new_study: Project) -> None:
    """What else is refused, and in which words: tests/study/test_validation.py."""
    good = new_study.params()
    new_study.write_params(good | {"mixup": {"alhpa": 2.0}})
    done = new_study.run("dvc", "repro", check=False)
    assert done.returncode != 0
    assert stages_run(done.stdout) == {"code", "validate"}
    assert "mixup.alhpa is not a known key" in done.stderr
    assert "Traceback" not in done.stderr


def test_text_instead_of_the_seeds_is_named_by_the_check(new_study: Project) -> None:
    """DVC cannot read its matrix from a text, and stops before any stage without saying why."""
    new_study.turn("seeds", "abc")
    done = new_study.run("dvc", "repro", check=False)
    assert done.returncode != 0
    assert stages_run(done.stdout) == set()
    done = new_study.run("python", "-m", "stages.validate", check=False)
    assert done.returncode == 1
    assert done.stderr == "error: seeds should be a valid list, got 'abc'\n"
