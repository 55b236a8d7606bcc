"""Experiments whose nets have a bottleneck or none, and the states of such a net in numpy."""

from pathlib import Path

import numpy as np
import yaml
from safetensors.numpy import load_file

from study.data.dataset import Dataset
from tests import training

SEEDS = [4, 1]
EXTRA_SEED = 9
METHODS = {"baseline": {}, "manifold": {"eligible": [1, 2]}}


def experiment(**bottleneck: int) -> dict:
    net = {"width": 8, "depth": 3, "negative_slope": 0.3, "bottleneck": bottleneck or None}
    return training.experiment("blobs", METHODS, net, test_fraction=0.25, batch_size=16, steps=6)


EXPERIMENTS = {
    "wide": experiment(layer=1, size=4),
    "flat": experiment(layer=2, size=2),
    "without": experiment(),
}


def write_params(folder: Path, seeds: list[int], experiments: dict) -> None:
    params = {
        "seeds": seeds,
        "mixup": {"alpha": 2.0},
        "compute": {"threads": 1},
        "experiments": experiments,
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def blobs() -> Dataset:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    centres = rng.integers(0, 200, size=(3, 6))
    inputs = (centres[labels] + rng.integers(0, 56, size=(120, 6))).astype(np.uint8)
    return Dataset(inputs, labels, np.arange(120), np.zeros(120, dtype=bool))


def forward(folder: Path, inputs: np.ndarray, layers: int) -> np.ndarray:
    """Compute the state after ``layers`` hidden layers from the stored weights."""
    weights = load_file(folder / "model.safetensors")
    h = inputs.astype(np.float64) / 255
    for layer in range(layers):
        h = h @ weights[f"hidden.{layer}.0.weight"].T + weights[f"hidden.{layer}.0.bias"]
        h = np.where(h > 0, h, 0.3 * h)
    return h


def rows_in_order(matrix: np.ndarray) -> np.ndarray:
    return matrix[np.lexsort(matrix.T)]
