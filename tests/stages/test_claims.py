"""The claims stage as a command, and what DVC shows of its metrics."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from stages import claims
from study.errors import StudyError
from study.paths import RunKey
from study.tables import measures_table, write_table
from tests.commands import call
from tests.study.inference.known_runs import WIDER
from tests.training import experiment
from tools import show_results

BASELINE = [0.80, 0.70, 0.90, 0.75]
ENTRY = WIDER | {
    "id": "S2-input",
    "sentence": "It underfits",
    "experiment": "e",
    "metric": "test_accuracy",
    "method": "other",
    "direction": "lower",
}
METHODS = {"baseline": {}, "other": {"eligible": [0]}, "gone": {"eligible": [1]}}
EXPERIMENT = experiment("d", METHODS, {"width": 2, "depth": 1}) | {"mixing": ["other"]}


def write_study(folder: Path, shift: float, *entries: dict[str, Any]) -> None:
    other = [value + shift + i / 1000 for i, value in enumerate(BASELINE)]
    measures = {
        RunKey("e", method, seed): {"test_accuracy": value, "test_nll": 1 - value}
        for method, values in {"baseline": BASELINE, "other": other}.items()
        for seed, value in enumerate(values)
    }
    write_table(folder / "metrics" / "runs.csv", measures_table(measures))
    (folder / "claims.yaml").write_text(
        yaml.safe_dump({"claims": list(entries), "headline": {"e": ["test_accuracy"]}})
    )
    params = yaml.safe_dump({"experiments": {"e": EXPERIMENT}}, sort_keys=False)
    (folder / "params.yaml").write_text(params)


def verdicts(folder: Path) -> dict[str, str]:
    ledger = json.loads((folder / "metrics" / "claims.json").read_text())
    return {name: row["verdict"] for name, row in ledger.items()}


def test_writes_the_ledger_the_ranks_and_the_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path, -0.2, ENTRY)
    claims.main()
    names = {path.name for path in (tmp_path / "metrics").iterdir()}
    assert names == {
        "runs.csv",
        "headline.json",
        "claims.json",
        "claims.csv",
        "ranks.csv",
        "wins.csv",
    }
    assert verdicts(tmp_path) == {"S2-input": "supported"}
    shown = json.loads(Path("metrics/headline.json").read_text())
    assert shown["claims"] == {
        "supported": 1,
        "contradicted": 0,
        "inconclusive": 0,
        "not_asked": 0,
    }
    assert shown["e"] == {
        "baseline": {"test_accuracy": 0.7875},
        "other": {"test_accuracy": 0.589},
    }
    table = pd.read_csv("metrics/claims.csv")
    assert table.loc[0, ["id", "verdict", "n"]].tolist() == ["S2-input", "supported", 4]
    assert table.loc[0, "difference"] == pytest.approx(-0.1985)
    assert pd.read_csv("metrics/ranks.csv")["rank"].tolist() == [1, 2] * 4
    assert pd.read_csv("metrics/wins.csv")["wins"].tolist() == [4]
    before = {path: path.read_bytes() for path in (tmp_path / "metrics").iterdir()}
    claims.main()
    assert {path: path.read_bytes() for path in (tmp_path / "metrics").iterdir()} == before


def test_a_new_claim_is_a_new_entry(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    better = {"id": "mine", "metric": "test_nll", "direction": "lower", "relative": True}
    seeds = {"id": "mine-too", "direction": "varies"}
    constant = {"id": "alone", "method": "baseline", "than": 0.5, "direction": "higher"}
    write_study(tmp_path, -0.2, ENTRY, *(ENTRY | new for new in (better, seeds, constant)))
    claims.main()
    assert verdicts(tmp_path) == {
        "S2-input": "supported",
        "mine": "contradicted",
        "mine-too": "inconclusive",
        "alone": "supported",
    }


def test_a_claim_that_cannot_be_answered_leaves_the_old_ledger(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path, -0.2, ENTRY)
    claims.main()
    write_study(tmp_path, -0.2, ENTRY, ENTRY | {"id": "typo", "metric": "test_acuracy"})
    with pytest.raises(StudyError, match=r"typo\.metric is 'test_acuracy'.*test_accuracy"):
        claims.main()
    assert verdicts(tmp_path) == {"S2-input": "supported"}


def test_a_claim_about_what_was_not_run_is_not_asked(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path, -0.2, ENTRY, ENTRY | {"id": "unasked", "than": "gone"})
    claims.main()
    assert verdicts(tmp_path) == {"S2-input": "supported", "unasked": "not asked"}
    show_results.main()
    printed = capsys.readouterr().out
    assert printed.startswith(
        "2 claims: 1 supported, 0 contradicted, 0 inconclusive, 1 not asked\n"
    )
    assert re.search(r"NOT ASKED\n  unasked .* gone was not run\n", printed)


def test_an_error_is_one_line(tmp_path, monkeypatch):
    write_study(tmp_path, -0.2, ENTRY | {"method": "nobody"})
    monkeypatch.chdir(tmp_path)
    status, said = call("stages.claims")
    assert status == 1
    assert said == (
        "error: claims.yaml: S2-input.method is 'nobody', which e does not have; "
        "there are: baseline, other, gone\n"
    )


@pytest.mark.slow
def test_dvc_metrics_diff_shows_a_verdict_that_flips(tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "dvc.yaml").write_text(
        yaml.safe_dump(
            {
                "stages": {
                    "claims": {
                        "cmd": f"{sys.executable} -m stages.claims",
                        "params": ["experiments"],
                        "deps": ["claims.yaml", "metrics/runs.csv"],
                        "metrics": [{"metrics/headline.json": {"cache": False}}],
                        "plots": [{"metrics/claims.json": {"cache": False}}],
                    }
                }
            }
        )
    )
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").touch()
    (folder / ".dvc/.gitignore").write_text("/tmp\n/cache\n")
    assert run(folder, "git", "init", "-q").returncode == 0
    write_study(folder, -0.2, ENTRY)
    assert run(folder, "dvc", "repro").returncode == 0
    run(folder, "git", "add", "--all")
    run(folder, "git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "first")
    write_study(folder, 0.2, ENTRY)
    assert run(folder, "dvc", "repro").returncode == 0
    shown = json.loads(run(folder, "dvc", "metrics", "diff", "--json").stdout)
    assert set(shown) == {"metrics/headline.json"}
    counts = shown["metrics/headline.json"]
    assert counts["claims.supported"] == {"old": 1, "new": 0, "diff": -1}
    on_request = ("dvc", "metrics", "diff", "--targets", "metrics/claims.json", "--md")
    table = run(folder, *on_request).stdout
    row = next(line for line in table.splitlines() if "S2-input.verdict" in line)
    assert [cell.strip() for cell in row.split("|")][3:5] == ["supported", "contradicted"], row


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    root, bin_folder = Path(__file__).parents[2], Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(root),
        "DVC_SITE_CACHE_DIR": str(folder.parent / "site-cache"),
        "DVC_NO_ANALYTICS": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
