"""Small studies for the stage that draws the figures, really trained and analysed."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from stages import embed_bottleneck, svd_analysis
from study.data.dataset import Dataset
from study.data.spirals import SpiralsConfig, generate
from study.params import check
from tests import training


def experiment(data: str, methods: dict[str, Any], **bottleneck: int) -> dict[str, Any]:
    net = {"width": 8, "depth": 3, "negative_slope": 0.2, "bottleneck": bottleneck or None}
    return training.experiment(data, methods, net, batch_size=16, steps=30, evaluations=3)


SPIRALS = {
    "kind": "arms",
    "seed": 0,
    "arms": {"n_samples": 80, "noise_std": 0.0, "n_cycles": 1.0},
    "mirrored": {"points_per_class": 40, "noise": 0.9, "max_angle": 780.0},
}
BOTH: dict[str, Any] = {"baseline": {}, "manifold": {"eligible": [0, 1]}}
DEFAULT_LIKE = {
    "spirals": experiment("spirals", BOTH),
    "flat": experiment("blobs", BOTH, layer=2, size=2),
    "wide": experiment("blobs", BOTH, layer=2, size=4),
}
ODD = {
    "arms": experiment("spirals", {"mine": {"weight_decay": 0.1}}, layer=2, size=2)
    | {"seeds": [8, 6]},  # others than the study's
    "plain": experiment(
        "blobs",
        {
            "baseline": {},
            "last_layer": {"eligible": [3]},
            "weak": {"eligible": [3], "alpha": 0.5},
        },
    ),
    "pair": experiment("pair", {"baseline": {}}),
}


def blobs(n_classes: int = 7) -> Dataset:
    rng = np.random.default_rng(0)
    labels = np.arange(140) % n_classes
    inputs = (rng.integers(0, 200, (7, 5))[labels] + rng.integers(0, 56, (140, 5))).astype(np.uint8)
    return Dataset(inputs, labels, np.arange(140), np.zeros(140, dtype=bool))


def spirals(kind: str = "arms") -> Dataset:
    return generate(check(SpiralsConfig, SPIRALS | {"kind": kind}))


def make_study(
    folder: Path, seeds: list[int], experiments: dict[str, Any], alpha: float = 2.0
) -> None:
    """Train and analyse a study in ``folder``, which is the current one."""
    params = {
        "seeds": seeds,
        "mixup": {"alpha": alpha},
        "compute": {"threads": 1},
        "experiments": experiments,
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    data = {
        "blobs": blobs(),
        "pair": blobs(n_classes=2),
        "spirals": spirals("mirrored" if alpha < 1 else "arms"),
    }
    training.train_all(experiments, data, seeds)
    for main in (embed_bottleneck.main, svd_analysis.main, training.sum_up):
        main()


def drawn() -> dict[str, str]:
    files = sorted(Path("figures/study").iterdir())
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
