"""`dvc plots show` on the study's tables: real DVC, the project's templates, the right data."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from study.tables import CURVES, MEASURES, SPECTRA, SUMMARY

ROOT = Path(__file__).parents[3]
TEMPLATES = ROOT / ".dvc" / "plots"
# file -> its columns, and the columns on the axes
TABLES = {
    "metrics/curves.csv": (CURVES, "step", "mean"),
    "metrics/embedding.csv": (MEASURES, "value", "method"),
    "metrics/flatness.csv": (MEASURES, "value", "method"),
    "metrics/runs.csv": (MEASURES, "value", "method"),
    "metrics/spectra.csv": (SPECTRA, "index", "value"),
    "metrics/summary.csv": (SUMMARY, "mean", "method"),
}


def declared() -> dict[str, dict[str, Any]]:
    """Read how dvc.yaml wants each of the tables plotted."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].values()
    entries = [entry for stage in stages for entry in stage.get("plots", [])]
    return {
        path: settings for entry in entries for path, settings in entry.items() if path in TABLES
    }


def dvc(folder: Path, *arguments: str) -> None:
    cache = str(folder.parent / "site-cache")
    environment = os.environ | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": cache}
    command = [sys.executable, "-m", "dvc", *arguments]
    subprocess.run(command, cwd=folder, env=environment, check=True)


def row(columns: list[str], number: int) -> dict[str, str]:
    texts = {
        "experiment": "spirals",
        "method": "manifold" if number else "baseline",
        "metric": "test_accuracy",
        "quantity": "test_loss",
        "split": "test",
        "scaling": "raw",
    }
    return {name: texts.get(name, str(number + 0.5)) for name in columns}


def test_every_table_says_how_it_is_plotted():
    found = {path: (settings.get("x"), settings.get("y")) for path, settings in declared().items()}
    assert found == {path: (x, y) for path, (_, x, y) in TABLES.items()}
    for path, settings in declared().items():
        assert (TEMPLATES / f"{settings['template']}.json").is_file(), path
        assert settings["title"], path


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.json")), ids=lambda path: path.stem)
def test_a_template_names_only_columns_that_its_tables_have(path: Path):
    template = json.loads(path.read_text())
    assert template["data"] == {"values": "<DVC_METRIC_DATA>"}
    made = {step["as"] for step in template["transform"] if "as" in step}
    used = set(re.findall(r'"field": "(\w+)"', path.read_text())) - made - {"rev"}
    used |= set(re.findall(r"datum\.(\w+)", path.read_text())) - made
    tables = [file for file, of in declared().items() if of.get("template") == path.stem]
    assert tables
    for table in tables:
        assert used <= set(TABLES[table][0])


@pytest.mark.slow
def test_dvc_fills_the_templates_with_the_tables(tmp_path: Path):
    dvc(tmp_path, "init", "--no-scm", "-q")
    shutil.copytree(TEMPLATES, tmp_path / ".dvc" / "plots")
    (tmp_path / "metrics").mkdir()
    rows = {}
    for path, (columns, _, _) in TABLES.items():
        rows[path] = [row(columns, number) for number in range(2)]
        with (tmp_path / path).open("w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows[path])
    plots = [{path: settings} for path, settings in declared().items()]
    stage = {"stages": {"tables": {"cmd": "true", "plots": plots}}}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump(stage))
    dvc(tmp_path, "plots", "show", "-o", "shown")
    html = (tmp_path / "shown" / "index.html").read_text()
    specs = [json.loads(spec) for spec in re.findall(r"var spec = (\{.*\});\n", html)]
    assert len(specs) == len(TABLES)
    by_file = {spec["data"]["values"][0]["filename"]: spec for spec in specs}
    for path, (columns, x, _) in TABLES.items():
        spec = by_file[path]
        assert "<DVC" not in json.dumps(spec)
        assert spec["title"] == declared()[path]["title"]
        assert spec["transform"][0]["calculate"] == f"toNumber(datum['{x}'])"
        assert [{name: point[name] for name in columns} for point in spec["data"]["values"]] == [
            dict(of_row) for of_row in rows[path]
        ]
        assert {point["rev"] for point in spec["data"]["values"]} == {"workspace"}
