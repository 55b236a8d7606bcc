"""Pictures are found by name, and their captions are of their own experiment."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from study.report.gallery import Numbers, Picture, evidence, gallery
from study.report.kinds import KINDS
from study.tables import SUMMARY
from study.validation import read_study

ROOT = Path(__file__).parents[3]
NONE = float("nan")


@pytest.fixture
def numbers() -> Numbers:
    """Tables of two experiments, ``e`` and ``e_wide``, told apart by their values."""
    summary = [
        (name, "baseline", metric, 5, mean, *[NONE] * 6)
        for name, mean in (("e", 0.25), ("e_wide", 0.75))
        for metric in (
            *("test_accuracy", "test_nll", "test_ece"),
            *("test_scatter_ratio", "test_first_singular_value_raw"),
        )
    ]
    curves = [
        (name, "baseline", step, "test_loss", loss)
        for name, losses in (("e", [2.0, 1.0]), ("e_wide", [1.0, 3.0]))
        for step, loss in enumerate(losses, 1)
    ]
    histories = [(name, "manifold", k, lam) for name, k in (("e", 0), ("e_wide", 2)) for lam in
                 (0.25, 0.75)]  # fmt: skip
    return Numbers(
        pd.DataFrame(summary, columns=SUMMARY),
        pd.DataFrame(curves, columns=["experiment", "method", "step", "quantity", "mean"]),
        pd.DataFrame(histories, columns=["experiment", "method", "k", "lam"]),
        {"e": {}, "e_wide": {"manifold": 1.0}},
    )


def shown(folder: Path, numbers: Numbers, *names: str) -> list[Picture]:
    for name in names:
        Image.new("RGB", (4, 4)).save(folder / f"{name}.png")
    return gallery(folder, ["e_wide", "e"], numbers)


def test_pictures_come_by_experiment_and_kind_and_strangers_not_at_all(
    tmp_path: Path, numbers: Numbers
) -> None:
    names = ["methods_e", "boundaries_e", "curves_e_wide", "spiral_e", "methods_f", "methods"]
    found = shown(tmp_path, numbers, *names)
    assert [(one.experiment, one.kind) for one in found] == [
        ("e_wide", "curves"),
        ("e", "boundaries"),
        ("e", "methods"),
    ]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("bottleneck_e_0_4", "e: bottleneck states, classes 0 to 4"),
        ("bottleneck_e", "e: bottleneck states"),
        ("spectra_e_scale_free", "e: singular values, scale-free"),
        ("spectra_e_wide_raw", "e_wide: singular values, raw"),
        ("hidden_e_wide_plain", "e_wide: input and hidden space without mixing"),
        ("hidden_e_singular_values", "e: singular values of the hidden states"),
        ("class_ratios_e_wide", "e_wide: singular values by class"),
    ],
)
def test_a_part_of_a_figure_is_named_in_its_title(
    tmp_path: Path, numbers: Numbers, name: str, title: str
) -> None:
    (picture,) = shown(tmp_path, numbers, name)
    assert picture.title == title
    assert picture.uri.startswith("data:image/")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("methods_e", ["Test accuracy (mean of 5 seeds): 0.25 for baseline.", "0.25 for"]),
        ("methods_e_wide", ["Test accuracy (mean of 5 seeds): 0.75 for baseline."]),
        ("curves_e", ["every method ends at its lowest"]),
        ("curves_e_wide", ["from its lowest recorded value, 1 at step 1, to 3 at step 2", "0.75"]),
        ("draws_e_wide", ["2 steps were recorded.", "2 for manifold mixup."]),
        ("spectra_e_raw", ["0.25 for baseline"]),
        ("bottleneck_e_0_4", ["0.25 for baseline", "These numbers are of all classes."]),
    ],
)
def test_captions_are_made_from_the_numbers_of_their_experiment(
    tmp_path: Path, numbers: Numbers, name: str, said: list[str]
) -> None:
    (picture,) = shown(tmp_path, numbers, name)
    assert all(part in picture.caption for part in said), picture.caption


def test_draws_are_of_the_methods_with_one_alpha(tmp_path: Path, numbers: Numbers) -> None:
    others = pd.DataFrame({"method": ["weak", "chosen"], "k": [7, 8], "lam": [0.5, 0.5]})
    histories = pd.concat([numbers.histories, others.assign(experiment="e_wide")])
    alphas = {"e_wide": {"manifold": 4.0, "weak": 0.5}}  # a method that chooses its alpha has none
    numbers = replace(numbers, histories=histories, alphas=alphas)
    (picture,) = shown(tmp_path, numbers, "draws_e_wide")
    assert picture.caption.startswith("2 steps were recorded.")
    assert "those of Beta(4, 4) are" in picture.caption


@pytest.mark.parametrize("name", ["draws_e", "spectra_e_unheard", "boundaries_e"])
def test_what_was_not_measured_has_no_caption(tmp_path: Path, numbers: Numbers, name: str) -> None:
    (picture,) = shown(tmp_path, numbers, name)
    assert picture.caption == ""
    assert picture.alt.endswith(".")


def test_captions_are_of_what_is_asked(tmp_path: Path, numbers: Numbers) -> None:
    """Of attacks at many radii, that of a claim; without a claim, the first."""
    rows = [
        (name, "baseline", f"fgsm_accuracy_0_{radius}", 5, float(radius), *[NONE] * 6)
        for name in ("e", "e_wide")
        for radius in (1, 2, 3)
    ]
    table = pd.DataFrame(rows, columns=SUMMARY)
    asking = replace(numbers, summary=table, asked={("e", "fgsm_accuracy_0_2")})
    wide, narrow = shown(tmp_path, asking, "attacks_e", "attacks_e_wide")
    assert wide.caption == "Accuracy under FGSM of radius 0.1 (mean of 5 seeds): 1 for baseline."
    assert narrow.caption == "Accuracy under FGSM of radius 0.2 (mean of 5 seeds): 2 for baseline."
    assert [p.name for p in evidence([wide, narrow], "e", "fgsm_accuracy_0_3")] == ["attacks_e"]


@pytest.mark.parametrize("study", [".", "full"])
def test_every_figure_of_the_studies_is_of_a_kind_that_is_known(
    study: str, numbers: Numbers
) -> None:
    folder = ROOT / study / "figures/study"
    experiments = read_study(ROOT / study / "params.yaml").experiments
    found = gallery(folder, experiments, numbers)
    assert {one.name for one in found} == {path.stem for path in folder.glob("*.png")}
    assert {one.experiment for one in found} == set(experiments)
    for one in found:
        assert one.title.startswith(f"{one.experiment}: {KINDS[one.kind].title}")


def test_of_figures_that_look_alike_none_has_the_words_of_another() -> None:
    words = [kind.title for kind in KINDS.values()]
    assert len(set(words)) == len(words)


def test_evidence_is_of_the_metric_and_of_the_experiment(tmp_path: Path, numbers: Numbers) -> None:
    pictures = shown(tmp_path, numbers, "methods_e", "methods_e_wide", "curves_e", "spectra_e_raw")
    assert [p.name for p in evidence(pictures, "e", "test_nll")] == ["curves_e", "methods_e"]
    of_spectra = evidence(pictures, "e", "test_first_singular_value_raw")
    assert [picture.name for picture in of_spectra] == ["methods_e", "spectra_e_raw"]
    assert not [*evidence(pictures, "e", "test_hull_overlap")]
    assert not [*evidence(pictures, "e", "my_own_metric")]
