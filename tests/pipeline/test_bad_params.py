"""A params.yaml that cannot run stops `dvc repro` before any training, naming key and value."""

from typing import Any

import pytest

from tests.pipeline.conftest import Project, stages_run

pytestmark = pytest.mark.slow

BAD: list[tuple[str, Any, str]] = [
    ("mixup.alpha", 0, "mixup.alpha should be greater than or equal to 0.001, got 0"),
    ("mixup.alpha", -1.5, "mixup.alpha should be greater than or equal to 0.001, got -1.5"),
    ("mixup.alpha", "2.0", "mixup.alpha should be a valid number, got '2.0'"),
    ("mixup.alhpa", 2.0, "mixup.alhpa is not a known key"),
    ("mixup.alpha", "1_0", "mixup.alpha should be a valid number, got '1_0'"),
    ("seeds", [], "seeds"),
    ("seeds", [0, 0], "seeds must not repeat an entry, got [0, 0]"),
    ("seeds", ["zero"], "seeds.0 should be a valid integer, got 'zero'"),
    (
        "experiments.spirals.mixing",
        ["manifold", "cutmix"],
        "experiments.spirals: mixing names 'cutmix'",
    ),
    (
        "experiments.spirals.methods.manifold.eligible",
        [0, 4],
        "eligible must lie within 0..3, got [0, 4]",
    ),
    ("experiments.spirals.methods.baseline.dropout", 1.0, "dropout should be less than 1, got 1.0"),
    ("experiments.spirals.net.width", 32.5, "experiments.spirals.net.width"),
    ("experiments.mnist_2d.training.batch_size", True, "got True"),
    ("experiments.mnist_2d.training.steps", 10, "must give either steps or epochs"),
    ("experiments.mnist_2d.net.bottleneck.layer", 6, "bottleneck.layer <= depth (5)"),
    ("spirals.arms.n_samples", 999, "spirals.arms.n_samples"),
    ("mnist.source", "kaggle", "mnist.source should be 'bundled' or 'download', got 'kaggle'"),
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
    assert stages_run(done.stdout) <= {"validate"}
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
