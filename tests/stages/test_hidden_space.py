"""The table of hidden spaces, on runs that are really trained for a few steps."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stages import hidden_space
from study.data.dataset import Dataset, load_dataset
from study.errors import StudyError
from study.measures.hidden_plane import hidden_measures
from study.paths import RunKey, run_folder
from study.training.run import load_run
from tests.training import experiment, train_all

SEEDS = [4, 1]
METHODS = {"baseline": {}, "wide": {"bottleneck": 3}, "manifold": {"eligible": [2]}}


def small(data: str, **bottleneck: int) -> dict:
    net = {"width": 4, "depth": 3, "negative_slope": 0.2, "bottleneck": bottleneck or None}
    has_wide = bottleneck.get("size") == 2
    methods = {name: of for name, of in METHODS.items() if name != "wide" or has_wide}
    return experiment(data, methods, net)


EXPERIMENTS = {
    "plane": small("plane", layer=2, size=2),
    "without": small("plane"),
    "three_units": small("plane", layer=2, size=3),
    "space": small("space", layer=2, size=2),
    "three_classes": small("three_classes", layer=2, size=2),
}


def dataset(n_features: int, n_classes: int) -> Dataset:
    inputs = np.random.default_rng(0).normal(size=(60, n_features)).astype(np.float32)
    return Dataset(inputs, np.arange(60) % n_classes, np.arange(60), np.zeros(60, dtype=bool))


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Train the runs that are measured; those of the others must not be asked for."""
    monkeypatch.chdir(tmp_path)
    params = {"seeds": SEEDS, "mixup": {"alpha": 2.0}, "compute": {}, "experiments": EXPERIMENTS}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    data = {"plane": dataset(2, 2), "space": dataset(3, 2), "three_classes": dataset(2, 3)}
    measured = {name: EXPERIMENTS[name] | {"plain": ["baseline"]} for name in ("plane", "without")}
    train_all(measured, data, SEEDS)
    return tmp_path


def test_runs_with_two_units_of_two_classes_in_a_plane_are_measured(study: Path):
    hidden_space.main()
    table = pd.read_csv("metrics/hidden_space.csv")
    assert list(table) == ["experiment", "method", "seed", "metric", "value"]
    runs = table[["experiment", "method", "seed"]].drop_duplicates().to_numpy().tolist()
    methods = [(name, m) for name in ("plane", "without") for m in ("baseline", "manifold")]
    assert runs == [[name, m, seed] for name, m in methods for seed in SEEDS]
    assert set(table.query("experiment == 'without'")["metric"]) == {"boundary_length"}
    of_run = table.query("experiment == 'plane' and method == 'manifold' and seed == 1").set_index(
        "metric"
    )["value"]
    run = load_run(run_folder(RunKey("plane", "manifold", 1)))
    measures = hidden_measures(run, load_dataset(study / "data/plane.npz"))
    assert of_run.to_dict() == pytest.approx(measures, rel=1e-5)


def test_a_second_run_gives_the_same_bytes(study: Path):
    hidden_space.main()
    first = Path("metrics/hidden_space.csv").read_bytes()
    hidden_space.main()
    assert Path("metrics/hidden_space.csv").read_bytes() == first


def test_a_missing_run_is_named_and_nothing_is_written(study: Path):
    (study / "runs/plane/baseline/1/model.safetensors").unlink()
    with pytest.raises(StudyError, match=r"plane.baseline.1.*missing"):
        hidden_space.main()
    assert not Path("metrics/hidden_space.csv").exists()


def test_a_study_without_such_runs_leaves_an_empty_table(study: Path):
    params = {"seeds": SEEDS, "experiments": {"space": EXPERIMENTS["space"]}}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    hidden_space.main()
    assert len(Path("metrics/hidden_space.csv").read_text().splitlines()) == 1
