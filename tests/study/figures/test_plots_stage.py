"""The stage that draws the figures, on small studies that are really trained and analysed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from stages import plots
from study.data.dataset import save_dataset
from study.errors import StudyError
from study.params import check
from study.paths import run_folder
from study.training.experiment import ExperimentConfig, all_runs, read_run_config
from study.training.record import write_run
from study.training.run import load_run
from study.training.trainer import train_run
from tests.study.figures.plots_study import (
    BOTH,
    DEFAULT_LIKE,
    drawn,
    experiment,
    make_study,
    spirals,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_study(folder, [3, 0, 8, 1], DEFAULT_LIKE)
        plots.main()
    return folder


@pytest.fixture
def inside(study: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(study)
    return study


def test_every_experiment_has_the_figures_that_fit_it(inside: Path):
    assert list(drawn()) == [
        "bottleneck_flat_0_4.png",
        "bottleneck_flat_0_6.png",
        "boundaries_spirals.png",
        "curves_flat.png",
        "curves_spirals.png",
        "curves_wide.png",
        "draws_flat.png",
        "draws_spirals.png",
        "draws_wide.png",
        "methods_flat.png",
        "methods_spirals.png",
        "methods_wide.png",
        "spectra_wide_centred.png",
        "spectra_wide_raw.png",
        "spectra_wide_scale_free.png",
    ]


COLOURS = {"baseline": "#000000", "manifold": "#D55E00"}


def checked(name: str) -> ExperimentConfig:
    config: ExperimentConfig = check(ExperimentConfig, DEFAULT_LIKE[name])
    return config


def test_a_map_is_of_the_run_that_its_title_names(inside: Path):
    [(_, figure)] = plots.boundaries("spirals", checked("spirals"), [3, 0, 8, 1])
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == 2 * 3
    assert figure.get_suptitle().startswith("spirals, 3 of n = 4 seeds: ")
    points = spirals("arms").inputs.astype(np.float64)
    low, high = points.min(0), points.max(0)
    run = load_run(Path("runs/spirals/manifold/0"))
    panel = next(axes for axes in panels if axes.get_title().startswith("manifold mixup, seed 0"))
    values = np.asarray(panel.images[0].get_array())
    for row, column in ((0, 0), (20, 170), (199, 60)):
        centre = low + (high - low) * (np.array([column, row]) + 0.5) / 200
        logit = run.net(torch.tensor(centre[None], dtype=torch.float32))
        assert values[row, column] == pytest.approx(torch.sigmoid(logit).item(), abs=1e-5)
    of_class_0, of_class_1 = (dots.get_offsets() for dots in panel.collections[-2:])
    split = run.split(spirals("arms"))
    train, labels = split.train_inputs.numpy(), split.train_labels.numpy()
    assert np.array_equal(of_class_0, train[labels == 0])
    assert np.array_equal(of_class_1, train[labels == 1])
    metrics = json.loads(Path("runs/spirals/manifold/0/metrics.json").read_text())
    accuracy, area = metrics["test_accuracy"], metrics["low_confidence_area"]
    assert panel.get_title().endswith(f"\naccuracy {accuracy:.3f}, unsure area {area:.2f}")


def test_curves_and_draws_are_those_of_the_histories(inside: Path):
    figures = dict(plots.curves_and_draws("flat", checked("flat"), [3, 0], COLOURS))
    histories = [pd.read_csv(f"runs/flat/manifold/{seed}/history.csv") for seed in (3, 0)]
    lines = {line.get_label(): line for line in figures["curves_flat"].axes[1].lines}
    mean = (histories[0]["test_loss"] + histories[1]["test_loss"]) / 2
    assert lines["manifold mixup"].get_ydata() == pytest.approx(mean)
    k, _, lam, _ = figures["draws_flat"].axes
    assert list(k.collections[0].get_offsets()[:, 1]) == list(histories[0]["k"])
    assert list(lam.collections[0].get_offsets()[:, 1]) == list(histories[0]["lam"])


def test_scatters_are_those_of_the_embeddings(inside: Path):
    figures = dict(plots.bottlenecks("flat", checked("flat"), [3, 0, 8]))
    arrays = np.load("embeddings/flat.npz")
    wanted = [(3, "train"), (3, "test"), (0, "test")]
    figure = figures["bottleneck_flat_0_4"]
    assert "classes 0 to 4, 2 of n = 3 seeds" in figure.get_suptitle()
    panels = iter(figure.axes)
    for method in ("baseline", "manifold"):
        for seed, split in wanted:
            name = f"{method}__{seed}__{split}"
            kept = arrays[f"{name}__labels"] <= 4
            offsets = next(panels).collections[0].get_offsets()
            assert np.array_equal(offsets, arrays[name][kept])
    assert next(panels, None) is None


def test_hidden_planes_are_those_of_the_first_seed_and_of_two_units(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    methods = BOTH | {"wide": {"bottleneck": 3}, "decay": {"weight_decay": 0.1}}
    arms = experiment("spirals", methods, layer=2, size=2)
    seeds = [5, 2]
    params = {"seeds": seeds, "mixup": {"alpha": 2.0}, "compute": {}, "experiments": {"arms": arms}}
    Path("params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    save_dataset(Path("data/spirals.npz"), spirals("arms"))
    config: ExperimentConfig = check(ExperimentConfig, arms)
    for key in all_runs(seeds, {"arms": config}):
        write_run(run_folder(key), train_run(read_run_config(key), spirals("arms")))
    figures = dict(plots.hidden_spaces("arms", config, seeds, COLOURS | {"decay": "#ff0000"}))
    titles = {
        name: [axes.get_title() for axes in figure.axes if axes.get_title()]
        for name, figure in figures.items()
    }
    assert titles == {
        "hidden_arms": ["baseline", "manifold mixup"],
        "hidden_arms_plain": ["baseline", "decay"],
        "hidden_arms_singular_values": ["class 0", "class 1"],
    }
    assert figures["hidden_arms"].get_suptitle() == (
        "arms, seed 5 of n = 2 seeds, 40 training points"
    )
    manifold = figures["hidden_arms"].axes[3]
    accuracies = [
        json.loads(Path(f"runs/arms/manifold/{seed}/metrics.json").read_text())["test_accuracy"]
        for seed in seeds
    ]
    first, low, high = accuracies[0], min(accuracies), max(accuracies)
    assert figures["hidden_arms"].axes[1].get_xlabel().startswith(
        f"test accuracy {first:.3f}; {sum(accuracies) / 2:.3f} ({low:.3f} to {high:.3f})\n"
    )  # fmt: skip
    run = load_run(Path("runs/arms/manifold/5"))
    split = run.split(spirals("arms"))
    states = run.states(split.train_inputs, 2)
    offsets = manifold.collections[-1].get_offsets()
    assert np.array_equal(offsets, states[split.train_labels.numpy() == 1])
    left, right, bottom, top = manifold.images[0].get_extent()
    centre = np.float32([left + (right - left) * 10.5 / 200, bottom + (top - bottom) * 70.5 / 200])
    p = torch.sigmoid(run.net(torch.from_numpy(centre[None]), start=2)).item()
    assert manifold.images[0].get_array()[70, 10] == pytest.approx(p, abs=1e-5)
    dots = figures["hidden_arms_singular_values"].axes[0].collections
    assert [len(found.get_offsets()) for found in dots] == [2] * 6


def test_spectra_are_those_of_the_test_data(inside: Path):
    figures = dict(plots.spectra("wide", COLOURS))
    assert "test data" in figures["spectra_wide_raw"].get_suptitle()
    table = pd.read_csv("metrics/spectra.csv")
    for scaling in ("raw", "centred", "scale_free"):
        line = figures[f"spectra_wide_{scaling}"].axes[6].lines[1]
        rows = table.query(
            "method == 'manifold' and digit == 6 and split == 'test' and scaling == @scaling"
        )
        assert len(rows) == 4 * 4
        means = [rows[rows["index"] == index]["value"].mean() for index in range(1, 5)]
        assert line.get_ydata() == pytest.approx(means)


def test_measures_are_those_of_one_experiment(inside: Path):
    figure = dict(plots.measured("flat", check(ExperimentConfig, DEFAULT_LIKE["flat"]), COLOURS))[
        "methods_flat"
    ]
    table = pd.read_csv("metrics/runs.csv")
    wanted = table.query(
        "experiment == 'flat' and method == 'baseline' and metric == 'test_accuracy'"
    )
    dots = figure.axes[0].collections[0].get_offsets()
    assert len(wanted) == 4
    assert sorted(dots[:, 0]) == sorted(wanted["value"])


def test_figures_differ_and_are_of_a_size_for_git(inside: Path):
    assert len(set(drawn().values())) == len(drawn())
    for name in drawn():
        path = Path("figures/study") / name
        assert path.stat().st_size < 250_000
        with Image.open(path) as picture:
            colours = picture.convert("RGB").getcolors(256)
            assert picture.width >= 500
            assert len(colours) > 30
            assert max(colours)[0] < 0.97 * picture.width * picture.height


@pytest.fixture
def one_experiment(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Enter a copy of the study whose params.yaml names one of its experiments alone."""
    copy = shutil.copytree(study, tmp_path / "study")
    monkeypatch.chdir(copy)
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["experiments"] = {"flat": params["experiments"]["flat"]}
    Path("params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    return copy


def test_a_missing_input_is_named_and_the_old_figures_stay(one_experiment: Path):
    before = drawn()
    Path("embeddings/flat.npz").unlink()
    with pytest.raises(StudyError, match=r"embeddings/flat\.npz is missing"):
        plots.main()
    assert drawn() == before


def test_a_second_run_gives_the_same_bytes_and_removes_what_is_no_longer_drawn(
    one_experiment: Path,
):
    """Runs that params.yaml does not name change nothing."""
    first = {name: digest for name, digest in drawn().items() if "_flat" in name}
    assert 0 < len(first) < len(drawn())
    for method in ("baseline", "manifold"):
        shutil.copytree(f"runs/flat/{method}/3", f"runs/flat/{method}/6")
    plots.main()
    assert drawn() == first
