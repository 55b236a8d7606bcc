"""What a study fixed beforehand, read from claims.yaml."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from study.errors import StudyError
from study.inference.claims import ONE_LOOK, Claim, Look
from study.inference.design import read_design
from study.validation import read_study

ROOT = Path(__file__).parents[3]
EXPERIMENTS = read_study(ROOT / "params.yaml").experiments


def write(folder: Path, **top: Any) -> Path:
    path = folder / "claims.yaml"
    path.write_text(yaml.safe_dump({"claims": []} | top))
    return path


def test_without_a_word_there_is_one_look_and_all_seeds_are_independent(tmp_path):
    design = read_design([], EXPERIMENTS, write(tmp_path))
    assert (design.looks, design.resampled) == (ONE_LOOK, {})


def test_reads_looks_and_takes_the_ratio_from_the_recipe(tmp_path):
    plan = {"looks": [10, 20], "errors": [0.02, 0.03]}
    path = write(tmp_path, plan=plan, resampled=["mnist_2d"])
    design = read_design([], EXPERIMENTS, path)
    assert design.looks == (Look(10, 0.02), Look(20, 0.03))
    assert design.resampled == pytest.approx({"mnist_2d": 0.2 / 0.8})
    recipe = EXPERIMENTS["mnist_2d"].training
    kept = recipe.model_copy(update={"validation_fraction": 0.2})
    keeps = EXPERIMENTS["mnist_2d"].model_copy(update={"training": kept})
    design = read_design([], {"mnist_2d": keeps}, path)
    assert design.resampled == pytest.approx({"mnist_2d": 0.2 / 0.64})


def test_seeds_that_share_no_training_points_are_not_resampled(tmp_path):
    recipe = EXPERIMENTS["mnist_2d"].training.model_copy(update={"disjoint": 3000})
    apart = EXPERIMENTS["mnist_2d"].model_copy(update={"training": recipe})
    path = write(tmp_path, resampled=["mnist_2d"])
    with pytest.raises(
        StudyError, match=r"resampled\.mnist_2d: its seeds share no training points"
    ):
        read_design([], {"mnist_2d": apart}, path)


def test_names_an_experiment_that_there_is_not(tmp_path):
    path = write(tmp_path, resampled=["mnist_2"])
    with pytest.raises(
        StudyError, match=r"resampled\.mnist_2 is 'mnist_2', .* did you mean mnist_2d"
    ):
        read_design([], EXPERIMENTS, path)


def test_wins_on_seeds_that_are_not_independent_cannot_be_tested(tmp_path):
    claim = Claim(
        id="c", sentence="It is so", source="x", experiment="mnist_2d", metric="test_nll",
        method="input", than="baseline", direction="varies", smallest=0.1,
    )  # fmt: skip
    with pytest.raises(StudyError, match="c: the direction varies needs independent seeds"):
        read_design([claim], EXPERIMENTS, write(tmp_path, resampled=["mnist_2d"]))
    read_design([claim], EXPERIMENTS, write(tmp_path))
