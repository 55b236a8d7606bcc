"""The tables of allowances and of intrusion, on runs that are really trained for a few steps."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from stages import allowances, intrusion
from study.data.dataset import Dataset
from study.errors import StudyError
from study.measures.intrusion import intrusion_shares, mix_pairs
from study.measures.temperature import fit_temperature, tempered
from study.paths import RunKey, run_folder
from study.tables import read_metrics
from study.training.run import load_run
from study.training.scores import ece
from tests.training import experiment, train_all

SEEDS = [4, 1]
METHODS: dict[str, Any] = {"baseline": {}, "input": {"eligible": [0]}}


def small(validation_fraction: float, methods: dict[str, Any]) -> dict[str, Any]:
    net = {"width": 6, "depth": 2, "negative_slope": 0.2}
    recipe = {"steps": 60, "learning_rate": 0.02, "evaluations": 6}
    return experiment("blobs", methods, net, validation_fraction=validation_fraction, **recipe)


EXPERIMENTS = {
    "both": small(0.4, METHODS),
    "no_inputs": small(0.4, {"baseline": {}, "hidden": {"eligible": [1]}}),
    "swept": small(0.0, {"input_1": {"eligible": [0], "alpha": 1.0}}),
}


def blobs() -> Dataset:
    rng = np.random.default_rng(0)
    labels = np.arange(160) % 4
    # One after another on a line, so that mixed points of 0 and 3 pass the others.
    inputs = rng.normal(size=(160, 2)) + np.stack([2.0 * labels, 0 * labels], axis=1)
    no_official_test = np.zeros(160, dtype=bool)
    return Dataset(inputs.astype(np.float32), labels, np.arange(160), no_official_test)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    params = {"seeds": SEEDS, "mixup": {"alpha": 2.0}, "compute": {}, "experiments": EXPERIMENTS}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    # the stages must not ask for the runs of "swept"
    experiments = {name: EXPERIMENTS[name] for name in ("both", "no_inputs")}
    train_all(experiments, {"blobs": blobs()}, SEEDS, folder)
    return folder


@pytest.fixture
def study(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("data", "runs", "params.yaml"):
        (tmp_path / name).symlink_to(trained / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of_run(table: pd.DataFrame, experiment: str, method: str, seed: int) -> pd.Series:
    rows = table.query("experiment == @experiment and method == @method and seed == @seed")
    return rows.set_index("metric")["value"]


class TestAllowances:
    def test_runs_with_validation_data_are_measured(self, study: Path):
        allowances.main()
        table = pd.read_csv("metrics/allowances.csv")
        assert list(table) == ["experiment", "method", "seed", "metric", "value"]
        runs = table[["experiment", "method", "seed"]].drop_duplicates().to_numpy().tolist()
        assert runs == [
            [name, method, seed]
            for name in ("both", "no_inputs")
            for method in EXPERIMENTS[name]["methods"]
            for seed in SEEDS
        ]
        run = load_run(run_folder(RunKey("both", "input", 1)))
        split = run.split(blobs())
        temperature = fit_temperature(
            run.probabilities(split.validation_inputs), split.validation_labels.numpy()
        )
        found = of_run(table, "both", "input", 1)
        assert found["temperature"] == pytest.approx(temperature, rel=1e-5)
        p = tempered(run.probabilities(split.test_inputs), temperature)
        expected = ece(p, split.test_labels.numpy())
        assert found["tempered_test_ece"] == pytest.approx(expected, rel=1e-5)
        history = pd.read_csv("runs/both/input/1/history.csv")
        best = history.sort_values("validation_loss").iloc[0]
        assert found["stopped_step"] == best["step"]
        assert found["stopped_test_nll"] == pytest.approx(best["test_loss"], rel=1e-5)
        assert found["stopped_test_ece"] == pytest.approx(best["test_ece"], rel=1e-5)

    def test_methods_are_compared_with_the_baseline_so_allowed(self, study: Path):
        allowances.main()
        measures = pd.read_csv("metrics/allowances.csv")
        found = pd.read_csv("metrics/against_baseline.csv")
        row = found.query(
            "experiment == 'both' and score == 'nll' and method == 'input' "
            "and allowed == 'as_is' and baseline_allowed == 'tempered'"
        ).iloc[0]
        differences = [
            read_metrics(run_folder(RunKey("both", "input", seed)))["test_nll"]
            - of_run(measures, "both", "baseline", seed)["tempered_test_nll"]
            for seed in SEEDS
        ]
        assert row["n"] == 2
        assert row["difference"] == pytest.approx(np.mean(differences), rel=1e-4)


class TestIntrusion:
    def test_experiments_that_mix_inputs_by_the_studys_alpha_are_measured(self, study: Path):
        intrusion.main()
        table = pd.read_csv("metrics/intrusion.csv")
        runs = table[["experiment", "method", "seed"]].drop_duplicates().to_numpy().tolist()
        assert runs == [["both", method, seed] for method in METHODS for seed in SEEDS]
        found = of_run(table, "both", "baseline", 4)
        assert list(found.index) == [
            *(f"intrusion{others}_{k}" for k in range(3) for others in ("", "_others")),
            "intrusion_auc",
        ]
        # Pairs and lam are drawn by a fixed seed, so other ones give nearly the same.
        run = load_run(run_folder(RunKey("both", "baseline", 4)))
        split = run.split(blobs())
        for k in range(3):
            of_layer = run.states(split.train_inputs, k), split.train_labels.numpy()
            mixed = mix_pairs(*of_layer, 2.0, np.random.default_rng(7), 4000)
            for name, share in intrusion_shares(*of_layer, mixed).items():
                assert found[f"{name}_{k}"] == pytest.approx(share, abs=0.05)
        assert found["intrusion_0"] > 0.1
        assert found["intrusion_auc"] > 0.5

    def test_methods_of_a_seed_share_the_intrusion_of_their_inputs(self, study: Path):
        intrusion.main()
        table = pd.read_csv("metrics/intrusion.csv")
        of_inputs = table[table["metric"] == "intrusion_0"].pivot(
            index="seed", columns="method", values="value"
        )
        assert (of_inputs["baseline"] == of_inputs["input"]).all()
        states = table[table["metric"] == "intrusion_2"].pivot(
            index="seed", columns="method", values="value"
        )
        assert (states["baseline"] != states["input"]).all()


@pytest.mark.parametrize(("stage", "table"), [(allowances, "allowances"), (intrusion, "intrusion")])
class TestBoth:
    def test_a_second_run_gives_the_same_bytes(self, study: Path, stage: Any, table: str):
        stage.main()
        first = Path(f"metrics/{table}.csv").read_bytes()
        stage.main()
        assert Path(f"metrics/{table}.csv").read_bytes() == first

    def test_a_missing_run_is_named_and_nothing_is_written(
        self, study: Path, stage: Any, table: str
    ):
        weights = study / "runs/both/baseline/1/model.safetensors"
        content = weights.read_bytes()
        weights.unlink()
        try:
            with pytest.raises(StudyError, match=r"both.baseline.1.*missing"):
                stage.main()
        finally:
            weights.write_bytes(content)
        assert not Path(f"metrics/{table}.csv").exists()

    def test_a_study_without_such_runs_leaves_an_empty_table(
        self, study: Path, stage: Any, table: str
    ):
        Path("params.yaml").unlink()
        params = {"mixup": {"alpha": 2.0}, "experiments": {"swept": EXPERIMENTS["swept"]}}
        Path("params.yaml").write_text(yaml.safe_dump({"seeds": SEEDS, **params}))
        stage.main()
        assert len(Path(f"metrics/{table}.csv").read_text().splitlines()) == 1
