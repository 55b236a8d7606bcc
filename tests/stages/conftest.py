"""A small Git and DVC repository with results written by hand; nothing is trained."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dvc.api
import pandas as pd
import pytest
import yaml

from mixup.analysis.summary import nested_means, summarise
from mixup.analysis.tables import LEDGER, measures_table, write_table
from mixup.training.config import RunKey

DVC_YAML = {
    "params": ["params.yaml"],
    "metrics": ["metrics/summary.json", "metrics/claims.json"],
}


@dataclass
class Results:
    """The repository; each method writes what the next commit holds."""

    folder: Path

    def experiment(self, name: str) -> None:
        """Save the workspace as a DVC experiment and go back to the commit."""
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
        summary = summarise(runs)
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
