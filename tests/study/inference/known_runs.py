"""Runs whose differences are known, and claims about them."""

from typing import Any

import numpy as np
import pandas as pd

from study.inference.claims import Claim
from study.inference.ledger import ledger_table
from study.paths import RunKey
from study.tables import measures_table

BASELINE = [1.0, 5.0, 9.0, 2.0, 4.0]
SHIFTS = {"up": [1.1, 0.9, 1.0, 1.2, 0.8], "down": [-1.1, -0.9, -1.0, -1.2, -0.8]}
UNCLEAR = [1.0, -1.1, 0.6, -0.7, 0.3]
WIDER: dict[str, Any] = {
    "sentence": "It is wider",
    "source": "somebody",
    "experiment": "spirals",
    "metric": "area",
    "method": "manifold",
    "than": "baseline",
    "direction": "higher",
    "smallest": 0.05,
}
"""An entry of claims.yaml but for its id."""


def claim(name: str = "c", **changes: Any) -> Claim:
    entry = {
        "id": name,
        "sentence": "It is so",
        "source": "somebody",
        "experiment": "e",
        "metric": "score",
        "method": "up",
        "than": "baseline",
        "direction": "higher",
        "smallest": 0.1,
    }
    return Claim(**(entry | changes))


def runs(**more: list[float]) -> pd.DataFrame:
    """Scores for seeds 0, 1, ... of the baseline, of methods `SHIFTS` from it, and of others."""
    shifted = {name: np.add(BASELINE, shifts).tolist() for name, shifts in SHIFTS.items()}
    methods = {"baseline": BASELINE, **shifted} | more
    return measures_table(
        {
            RunKey("e", method, seed): {"score": value, "square": value**2}
            for method, values in methods.items()
            for seed, value in enumerate(values)
        }
    )


def decide(table: pd.DataFrame, *claims: Claim) -> pd.DataFrame:
    return ledger_table(claims, table).set_index("id")
