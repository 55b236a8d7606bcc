"""Less than the whole study, as `-S` makes it: every stage after training copes with it."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from study.data.dataset import load_dataset
from study.validation import Study, read_study
from tests.stages.conftest import EXPERIMENTS, STAGES
from tests.training import train_all

pytestmark = pytest.mark.slow


def without(kind: str, *experiments: str) -> list[str]:
    return [f"experiments.{name}.{kind}=[]" for name in experiments]


def out(*experiments: str) -> list[str]:
    return without("plain", *experiments) + without("mixing", *experiments)


def run_stages() -> Study:
    """Run all stages after training; check that they are about what params.yaml still names."""
    kept = read_study()
    for main in STAGES.values():
        main()
    runs = pd.read_csv("metrics/runs.csv", keep_default_na=False)
    assert set(runs["seed"]) == set(kept.seeds)
    methods = {name: set(of["method"]) for name, of in runs.groupby("experiment")}
    kept_methods = {name: set(of.all_methods) for name, of in kept.experiments.items()}
    assert methods == {name: names for name, names in kept_methods.items() if names}
    return kept


REDUCTIONS = {
    "one seed of plain": ["seeds=[1]", *out("flat", "uneven"), *without("mixing", *EXPERIMENTS)],
    "only mixing": [
        *without("plain", *EXPERIMENTS),
        "states.features.pixels=[input]",
        "robustness.deformations.rotations=[]",
    ],
    "only spirals": out("flat", "uneven", "wide", "pixels"),
    "nothing more": [
        *out("flat", "uneven", "wide", "plane"),
        "states.bottlenecks=[]",
        "states.features.pixels=[]",
        "robustness.experiments=[]",
    ],
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_every_stage_copes(study: Path, reduction: str) -> None:
    apply_overrides("params.yaml", REDUCTIONS[reduction])
    kept = run_stages()
    ledger = pd.read_csv("metrics/claims.csv").set_index("id")
    asked = set(kept.experiments["pixels"].all_methods) == {"input", "baseline"}
    assert (ledger.loc["C1", "verdict"] == "not asked") == (not asked)
    page = Path("report/index.html").read_text()
    assert (">not asked</span>" in page) == (not asked)


SWEEPS = {
    "widths": {
        **EXPERIMENTS["wide"],
        "plain": ["baseline_2", "baseline_3"],
        "mixing": ["manifold_2", "manifold_3"],
        "methods": {
            f"{name}_{size}": {"bottleneck": size} | ({"eligible": [1]} if name[0] == "m" else {})
            for name in ("baseline", "manifold")
            for size in (2, 3)
        },
    },
    "layers": {
        **EXPERIMENTS["wide"],
        "mixing": ["input_1", "input_2", "hidden_2"],
        "methods": {
            "baseline": {},
            "input_1": {"eligible": [0], "alpha": 1.0},
            "input_2": {"eligible": [0], "alpha": 2.0},
            "hidden_2": {"eligible": [1], "alpha": 2.0},
        },
    },
}
SWEPT_LESS = {
    "as it is": [],
    "one seed of mixing": ["seeds=[0]", *without("plain", *SWEEPS)],
    "one alpha, one width": [
        "experiments.layers.mixing=[input_1,hidden_2]",
        "experiments.widths.plain=[baseline_2]",
        "experiments.widths.mixing=[manifold_3]",
    ],
}


@pytest.fixture
def swept(study: Path) -> Path:
    """Train two sweeps in place of the study's own experiments."""
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["experiments"] = SWEEPS
    params["states"] |= {"features": {}, "bottlenecks": ["widths"]}
    params["robustness"]["experiments"] = []
    Path("params.yaml").write_text(json.dumps(params))
    claim = yaml.safe_load(Path("claims.yaml").read_text())["claims"][0]
    changed = {"experiment": "layers", "method": "input_2", "than": "input_1", "metric": "test_nll"}
    Path("claims.yaml").write_text(json.dumps({"claims": [claim | changed]}))
    data = load_dataset(Path("data/blobs.npz"))
    train_all(params["experiments"], {"blobs": data}, [0, 1])
    return study


def test_sweeps_cope(swept: Path) -> None:
    whole = Path("params.yaml").read_text()
    for overrides in SWEPT_LESS.values():
        Path("params.yaml").write_text(whole)
        apply_overrides("params.yaml", overrides)
        run_stages()
        assert list(swept.glob("figures/study/*.png"))
