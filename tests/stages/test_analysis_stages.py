"""The analysis stages on small trained runs, checked against forward passes written in numpy."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages import embed_bottleneck, svd_analysis
from study.data.dataset import load_dataset
from study.errors import StudyError
from study.measures.bottleneck import bottleneck_states
from study.paths import RunKey, run_folder
from study.training.run import load_run
from tests.stages.small_bottlenecks import (
    EXPERIMENTS,
    EXTRA_SEED,
    SEEDS,
    blobs,
    forward,
    rows_in_order,
    write_params,
)
from tests.training import sum_up, train_all


def analyse() -> None:
    for main in (embed_bottleneck.main, svd_analysis.main, sum_up):
        main()


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with a run of a seed that is no longer asked for, analysed."""
    folder = tmp_path_factory.mktemp("study")
    write_params(folder, SEEDS, EXPERIMENTS)
    train_all(EXPERIMENTS, {"blobs": blobs()}, [*SEEDS, EXTRA_SEED], folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        analyse()
    return folder


@pytest.fixture
def study(analysed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with links to the analysed study's data and runs, to run stages in."""
    for name in ("data", "runs"):
        (tmp_path / name).symlink_to(analysed / name)
    write_params(tmp_path, SEEDS, EXPERIMENTS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestEmbedBottleneck:
    def test_keeps_the_states_of_two_unit_bottlenecks_only(self, analysed):
        assert [path.name for path in (analysed / "embeddings").iterdir()] == ["flat.npz"]
        with np.load(analysed / "embeddings" / "flat.npz", allow_pickle=False) as arrays:
            shapes = {name: (array.shape, array.dtype.name) for name, array in arrays.items()}
        assert shapes == {
            f"{method}__{seed}__{split}{suffix}": ((n, *columns), dtype)
            for method in ("baseline", "manifold")
            for seed in SEEDS
            for split, n in (("train", 90), ("test", 30))
            for suffix, columns, dtype in (("", (2,), "float32"), ("__labels", (), "int64"))
        }

    @pytest.mark.parametrize("seed", SEEDS)
    def test_states_are_those_of_the_trained_net(self, analysed, seed):
        dataset = load_dataset(analysed / "data" / "blobs.npz")
        states = forward(analysed / "runs" / "flat" / "manifold" / str(seed), dataset.inputs, 2)
        expected = np.column_stack([states, dataset.labels])
        with np.load(analysed / "embeddings" / "flat.npz") as arrays:
            found = np.concatenate(
                [
                    np.column_stack(
                        [arrays[f"manifold__{seed}__{split}{part}"] for part in ("", "__labels")]
                    )
                    for split in ("train", "test")
                ]
            )
        np.testing.assert_allclose(rows_in_order(found), rows_in_order(expected), atol=1e-5)

    def test_measures_the_runs_of_params_in_their_order(self, analysed):
        table = pd.read_csv(analysed / "metrics" / "embedding.csv")
        runs = table[["experiment", "method", "seed"]].drop_duplicates().to_numpy().tolist()
        assert runs == [["flat", m, seed] for m in ("baseline", "manifold") for seed in SEEDS]
        with np.load(analysed / "embeddings" / "flat.npz") as arrays:
            states = arrays["baseline__4__test"].astype(np.float64)
            labels = arrays["baseline__4__test__labels"]
        means = np.stack([states[labels == c].mean(axis=0) for c in range(3)])[labels]
        ratio = np.square(means - states.mean(0)).sum() / np.square(states - means).sum()
        found = table.query("method == 'baseline' and seed == 4").set_index("metric")["value"]
        assert found["test_scatter_ratio"] == pytest.approx(ratio, rel=1e-5)


class TestSvdAnalysis:
    def test_tabulates_the_spectra_of_wider_bottlenecks_only(self, analysed):
        table = pd.read_csv(analysed / "metrics" / "spectra.csv")
        assert list(table) == [
            *("experiment", "method", "seed", "split", "digit", "scaling", "index", "value")
        ]
        assert set(table["experiment"]) == {"wide"}
        assert table["seed"].unique().tolist() == SEEDS
        assert len(table) == 2 * len(SEEDS) * 2 * 3 * 3 * 4

    def test_raw_spectra_are_those_of_the_trained_net(self, analysed):
        dataset = load_dataset(analysed / "data" / "blobs.npz")
        members = dataset.inputs[dataset.labels == 1]
        states = forward(analysed / "runs" / "wide" / "baseline" / "4", members, 1)
        table = pd.read_csv(analysed / "metrics" / "spectra.csv").query(
            "method == 'baseline' and seed == 4 and digit == 1 and scaling == 'raw'"
        )
        # Train and test together hold every point once, so their squares add up.
        assert np.square(table["value"]).sum() == pytest.approx(np.square(states).sum(), rel=1e-4)

    def test_flatness_is_the_mean_over_digits(self, analysed):
        spectra = pd.read_csv(analysed / "metrics" / "spectra.csv").query(
            "method == 'manifold' and seed == 1 and split == 'test' and scaling == 'scale_free'"
        )
        flatness = pd.read_csv(analysed / "metrics" / "flatness.csv").query(
            "method == 'manifold' and seed == 1 and metric.str.startswith('test_')"
        )
        found = flatness.set_index("metric")["value"]
        first = spectra[spectra["index"] == 1]["value"].mean()
        assert found["test_first_singular_value_scale_free"] == pytest.approx(first, rel=1e-5)
        assert found["test_all_classes_first_singular_value_raw"] > 0


class TestSummarize:
    def test_counts_the_seeds_of_params_and_no_other_folder(self, analysed):
        runs = pd.read_csv(analysed / "metrics" / "runs.csv")
        assert set(runs["seed"]) == set(SEEDS)
        assert runs["experiment"].unique().tolist() == list(EXPERIMENTS)
        summary = pd.read_csv(analysed / "metrics" / "summary.csv")
        assert set(summary["n"]) == {len(SEEDS)}
        assert (summary["method"] == "baseline").equals(summary["difference"].isna())

    def test_joins_the_measures_of_all_stages(self, analysed):
        means = json.loads((analysed / "metrics" / "summary.json").read_text())
        assert list(means) == list(EXPERIMENTS)
        assert "test_scatter_ratio" in means["flat"]["manifold"]
        assert "test_effective_rank" in means["wide"]["manifold"]
        assert set(means["without"]["manifold"]) == {
            *("test_accuracy", "test_balanced_accuracy", "test_nll", "test_ece", "test_brier"),
            *("train_accuracy", "train_nll", "test_nll_rise", "train_excess_loss"),
        }

    def test_means_are_those_of_the_runs_own_files(self, analysed):
        nlls = [
            json.loads((analysed / f"runs/wide/manifold/{seed}/metrics.json").read_text())[
                "test_nll"
            ]
            for seed in SEEDS
        ]
        means = json.loads((analysed / "metrics" / "summary.json").read_text())
        assert means["wide"]["manifold"]["test_nll"] == pytest.approx(np.mean(nlls), rel=1e-5)

    def test_curves_end_at_the_last_step(self, analysed):
        curves = pd.read_csv(analysed / "metrics" / "curves.csv")
        assert sorted(curves["step"].unique()) == [3, 6]
        assert set(curves["n"]) == {len(SEEDS)}
        assert curves["experiment"].unique().tolist() == list(EXPERIMENTS)


def test_the_same_runs_give_the_same_bytes(analysed, study):
    analyse()
    for folder in ("embeddings", "metrics"):
        names = sorted(path.name for path in (analysed / folder).iterdir())
        assert sorted(path.name for path in (study / folder).iterdir()) == names
        for name in names:
            assert (study / folder / name).read_bytes() == (analysed / folder / name).read_bytes()


def test_experiments_without_bottlenecks_leave_empty_tables(study):
    write_params(study, [4], {"without": EXPERIMENTS["without"]})
    analyse()
    (why,) = (study / "embeddings").iterdir()  # DVC warns of an empty folder
    assert "No net of this study has a bottleneck of two units" in why.read_text()
    for name in ("embedding", "spectra", "flatness"):
        assert len((study / "metrics" / f"{name}.csv").read_text().splitlines()) == 1
    assert set(pd.read_csv(study / "metrics" / "summary.csv")["experiment"]) == {"without"}


@pytest.mark.parametrize(
    ("main", "run"),
    [(embed_bottleneck.main, "flat"), (svd_analysis.main, "wide"), (sum_up, "wide")],
)
def test_names_a_run_that_is_missing_and_how_to_make_it(study, main, run):
    analyse()
    before = {path: path.read_bytes() for path in study.glob("[em]*/*")}
    write_params(study, [*SEEDS, 77], EXPERIMENTS)
    with pytest.raises(StudyError, match=rf"{run}.baseline.77.*missing.*`dvc repro`"):
        main()
    assert {path: path.read_bytes() for path in study.glob("[em]*/*")} == before


def test_a_net_without_a_bottleneck_has_no_bottleneck_states(analysed):
    dataset = load_dataset(analysed / "data" / "blobs.npz")
    run = load_run(run_folder(RunKey("without", "baseline", 4), analysed / "runs"))
    with pytest.raises(StudyError, match=r"baseline.4 has a net without a bottleneck"):
        bottleneck_states(run, dataset)


def test_stages_stop_when_a_table_is_missing(study):
    with pytest.raises(StudyError, match=r"embedding\.csv is missing: run `dvc repro`"):
        sum_up()
