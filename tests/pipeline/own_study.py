"""Studies of one's own, made small: data, a net and an augmentation."""

from typing import Any

import pandas as pd

from tests.pipeline.project import Project

NET = """
import torch

def build(shape, n_classes):
    return torch.nn.Sequential(
        torch.nn.Linear(shape[0], 8), torch.nn.ReLU(), torch.nn.Linear(8, n_classes)
    )
"""
AUGMENTATION = """
import torch

def augment(x, generator):
    return x + 0.1 * torch.randn(x.shape, generator=generator)
"""
N, N_PATIENTS = 72, 12
ROWS = pd.DataFrame({
    "dose": [i % 7 for i in range(N)],
    "age": [20 + i % 5 for i in range(N)],
    "place": [("town", "village", "farm")[i % 3] for i in range(N)],
    "patient": [f"p{i % N_PATIENTS}" for i in range(N)],
    "ill": [int(i % 7 > 3) for i in range(N)],
    "tired": [int(i % 5 > 1) for i in range(N)],
})  # fmt: skip
TRAINED = [f"train_{group}@{method}-{seed}" for group, methods in (
    ("plain", ("baseline", "early_stopping", "weight_decay")),
    ("mixing", ("input", "manifold", "chosen_mixup")),
) for method in methods for seed in (0, 1)]  # fmt: skip


def make_small(study: Project) -> None:
    """Let a study that was just made train for a moment, and choose from two values."""
    params: dict[str, Any] = study.params()
    own = params["experiments"]["own"]
    own["training"] |= {"epochs": 3, "evaluations": 3, "learning_rate": 0.03}
    own["methods"]["weight_decay"]["choose"]["weight_decay"] = [0.0, 1.0]
    own["methods"]["chosen_mixup"]["choose"] = {"alpha": [0.2, 1.0]}
    study.write_params(params)
