"""An experiment on small images, to be attacked and deformed."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from study.data.dataset import Dataset
from study.paths import RunKey, run_folder
from study.training.run import Run, load_run
from tests.training import experiment

SEEDS = [4, 1]
SIDE = 6
ATTACKS = {"radii": [0.2, 0.3], "pgd_steps": 5, "pgd_searches": 3, "n_samples": 20}
DEFORMATIONS = {"rotations": [60.0], "shears": [20.0, 40.0], "zooms": [0.5, 1.2]}
ROBUSTNESS = {"experiments": ["images"], "attacks": ATTACKS, "deformations": DEFORMATIONS}
METHODS = {"baseline": {}, "manifold": {"eligible": [0, 1]}}
NET = {"width": 12, "depth": 2, "negative_slope": 0.1}
EXPERIMENT = experiment("digits", METHODS, NET, steps=40, evaluations=1)


def digits(n_classes: int = 3) -> Dataset:
    rng = np.random.default_rng(0)
    labels = np.arange(90) % n_classes
    shapes = rng.integers(0, 200, (n_classes, SIDE**2))
    inputs = (shapes[labels] + rng.integers(0, 56, (90, SIDE**2))).astype(np.uint8)
    return Dataset(inputs, labels, np.arange(90), np.zeros(90, dtype=bool))


def write_params(**changes: Any) -> None:
    experiments = {"images": EXPERIMENT, "others": EXPERIMENT | {"data": "points"}}
    params = {"seeds": SEEDS, "mixup": {"alpha": 2.0}, "compute": {}, "experiments": experiments}
    text = yaml.safe_dump(params | {"robustness": ROBUSTNESS} | changes, sort_keys=False)
    Path("params.yaml").write_text(text)


def trained(method: str = "manifold", seed: int = 1) -> Run:
    return load_run(run_folder(RunKey("images", method, seed)))
