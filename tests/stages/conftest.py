"""Small studies: a repository with results written by hand, and one that was really trained."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from stages import (
    allowances,
    claims,
    code,
    embed_bottleneck,
    generate_spirals,
    hidden_space,
    hidden_states,
    intrusion,
    plots,
    report,
    robustness,
    summarize,
    svd_analysis,
)
from study.data.dataset import Dataset
from study.paths import RunKey
from study.summaries import nested_means, summary_table
from study.tables import LEDGER, measures_table, write_table
from tests.once import once
from tests.training import experiment, train_all

ROOT = Path(__file__).parents[2]
DVC_YAML = {"params": ["params.yaml"]}


@dataclass
class Results:
    """The repository; each method writes what the next commit holds."""

    folder: Path

    def experiment(self, name: str) -> None:
        """Save the workspace as a DVC experiment and go back to the commit."""
        import dvc.api  # a second, which fast tests do without

        dvc.api.exp_save(name=name)
        self.git("reset", "-q", "--hard")

    def git(self, *command: str) -> str:
        options = ["-c", "user.name=t", "-c", "user.email=t@t"]
        done = subprocess.run(
            ["git", *options, *command], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "-qm", message)

    def params(self, **params: Any) -> None:
        (self.folder / "params.yaml").write_text(yaml.safe_dump(params))

    def runs(self, experiment: str = "e", **methods: list[float] | dict[int, float]) -> None:
        """Write test accuracies of methods, for seeds 0, 1, ... or for the seeds named."""
        by_seed = {m: v if isinstance(v, dict) else dict(enumerate(v)) for m, v in methods.items()}
        runs = measures_table(
            {
                RunKey(experiment, method, seed): {"test_accuracy": value}
                for method, values in by_seed.items()
                for seed, value in values.items()
            }
        )
        summary = summary_table(runs)
        write_table(self.folder / "metrics/runs.csv", runs)
        write_table(self.folder / "metrics/summary.csv", summary)
        (self.folder / "metrics/summary.json").write_text(json.dumps(nested_means(summary)))

    def claims(self, **verdicts: str) -> None:
        rows = [{"id": id, "sentence": f"Claim {id}", "verdict": v} for id, v in verdicts.items()]
        ledger = pd.DataFrame(rows, columns=pd.Index(LEDGER))
        write_table(self.folder / "metrics/claims.csv", ledger)
        content = {id: {"verdict": verdict} for id, verdict in verdicts.items()}
        (self.folder / "metrics/claims.json").write_text(json.dumps(content))


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    """Make the repository, empty but for DVC's files, and enter it."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site-cache"))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    folder = tmp_path / "study"
    (folder / ".dvc").mkdir(parents=True)
    (folder / ".dvc/config").touch()
    (folder / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (folder / ".gitignore").write_text("/report/\n")
    (folder / "dvc.yaml").write_text(yaml.safe_dump(DVC_YAML))
    monkeypatch.chdir(folder)
    made = Results(folder)
    made.git("init", "-q", "-b", "main")
    made.params(mixup={"alpha": 2.0})
    return made


NET = {"width": 4, "depth": 2, "negative_slope": 0.3}
MANIFOLD = {"baseline": {}, "manifold": {"eligible": [0, 1]}}
INPUT = {"baseline": {}, "input": {"eligible": [0]}}


def narrow(size: int) -> dict[str, Any]:
    return NET | {"bottleneck": {"layer": 1, "size": size}}


EXPERIMENTS = {
    "flat": experiment("blobs", {"baseline": {}}, narrow(2)),
    "uneven": experiment("blobs", {"baseline": {}, "wider": {"bottleneck": 3}}, narrow(2)),
    "wide": experiment("blobs", MANIFOLD, narrow(3)),
    "plane": experiment("points", MANIFOLD, narrow(2)),
    "pixels": experiment("pictures", INPUT, NET, validation_fraction=0.25),
}
STATES = {
    "features": {"pixels": ["baseline", "input"]},
    "bottlenecks": ["wide"],
    "neighbours": 3,
    "pairs": 20,
}
ROBUSTNESS = {
    "experiments": ["pixels"],
    "attacks": {"radii": [0.1], "pgd_steps": 2, "pgd_searches": 2, "n_samples": 6},
    "deformations": {"rotations": [30.0], "shears": [], "zooms": []},
}
CLAIM = {
    "id": "C1",
    "sentence": "Mixing inputs calibrates better.",
    "source": "Nobody",
    "experiment": "pixels",
    "metric": "test_ece",
    "method": "input",
    "than": "baseline",
    "direction": "lower",
    "smallest": 0.0,
}
MEASURED = ("embedding", "flatness", "hidden_space", "hidden_states", "robustness", "allowances",
            "intrusion")  # fmt: skip
"""Tables that `summarize` is given, as in the full study."""
STAGES: dict[str, Callable[[], None]] = {
    "generate_spirals": generate_spirals.main,
    "embed_bottleneck": embed_bottleneck.main,
    "svd_analysis": svd_analysis.main,
    "hidden_space": hidden_space.main,
    "hidden_states": hidden_states.main,
    "robustness": robustness.main,
    "allowances": allowances.main,
    "intrusion": intrusion.main,
    "summarize": lambda: summarize.main([f"metrics/{name}.csv" for name in MEASURED]),
    "claims": claims.main,
    "plots": plots.main,
    "report": report.main,
}
"""All that make the small study of its data and runs, in order."""


def dataset(n_features: int, n_classes: int) -> Dataset:
    labels = np.arange(48) % n_classes
    inputs = np.random.default_rng(0).normal(size=(48, n_features)) + labels[:, None]
    return Dataset(inputs.astype(np.float32), labels, np.arange(48), np.zeros(48, dtype=bool))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study, with everything that a stage makes."""
    return once(tmp_path_factory, "made", make_study)


def make_study(folder: Path) -> None:
    params = {
        "seeds": [0, 1],
        "mixup": {"alpha": 2.0},
        "compute": {"threads": 1},
        "spirals": yaml.safe_load((ROOT / "params.yaml").read_text())["spirals"],
        "mnist": {"source": "bundled", "mirrors": []},
        "experiments": EXPERIMENTS,
        "states": STATES,
        "robustness": ROBUSTNESS,
    }
    (folder / "params.yaml").write_text(json.dumps(params))
    (folder / "claims.yaml").write_text(json.dumps({"claims": [CLAIM]}))
    pictures = dataset(16, 3)
    pictures = replace(pictures, inputs=(50 * pictures.inputs.clip(0, 5)).astype(np.uint8))
    datasets = {"blobs": dataset(4, 3), "points": dataset(2, 2), "pictures": pictures}
    train_all(EXPERIMENTS, datasets, [0, 1], folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        code.main()
        for main in STAGES.values():
            main()


def keep_only(*experiments: str) -> None:
    """Leave all methods of the others out of params.yaml: most time goes into their figures."""
    params = json.loads(Path("params.yaml").read_text())
    for name, settings in params["experiments"].items():
        if name not in experiments:
            settings |= {"plain": [], "mixing": []}
    Path("params.yaml").write_text(json.dumps(params))


@pytest.fixture
def study(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "study"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder
