"""A new measure is written in the file of its family, and stands everywhere then."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FAMILY = "study/measures/embedding.py"
COMPUTED = """
        measures[f"{split}_spread"] = float(np.std(states))
"""
NAMED = """
    Measure(
        "test_spread", "how far states spread, test", "parsecs",
        seen_in=("methods",), said_in=("methods",), headline=True,
    ),
"""
STAGES = ("embed_bottleneck", "summarize", "plots", "report")


def with_lines_after(text: str, place: str, lines: str) -> str:
    before, found, after = text.partition(place)
    assert found, f"{place} is not in {FAMILY}"
    return f"{before}{found}{lines}{after}"


def height(picture: str) -> int:
    with Image.open(picture) as opened:
        return opened.height


def test_a_measure_of_one_file_is_tabulated_summed_up_drawn_and_reported(
    study: Path, tmp_path: Path
) -> None:
    code = tmp_path / "code"
    for package in ("mixup", "stages", "study", "tools"):
        shutil.copytree(ROOT / package, code / package)
    text = (code / FAMILY).read_text(encoding="utf-8")
    text = with_lines_after(text, "for split, (states, labels) in splits.items():", COMPUTED)
    text = with_lines_after(text, "_OF_TEST = [", NAMED)
    (code / FAMILY).write_text(text, encoding="utf-8")
    before = height("figures/study/methods_flat.png")
    program = "; ".join(f"from stages import {name}; {name}.main()" for name in STAGES)
    program += (
        "; from tools.write_claims import _metrics_table as table; import pandas as pd"
        "; print(table('flat', pd.read_csv('metrics/summary.csv').query('experiment == \"flat\"')))"
    )
    environment = os.environ | {"PYTHONPATH": str(code)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip

    runs, summary = (pd.read_csv(f"metrics/{name}.csv") for name in ("runs", "summary"))
    values = runs.query("metric == 'test_spread' and method == 'manifold'")["value"]
    assert len(values) == 4  # two experiments of two seeds
    assert (values > 0).all()
    row = summary.query("experiment == 'flat' and metric == 'test_spread' and method == 'manifold'")
    of_flat = runs.query(
        "experiment == 'flat' and metric == 'test_spread' and method == 'manifold'"
    )
    assert abs(row["mean"].item() - of_flat["value"].mean()) < 1e-5
    assert not runs.query("metric == 'train_spread'").empty
    assert height("figures/study/methods_flat.png") > before  # a panel more
    page = Path("report/index.html").read_text(encoding="utf-8")
    assert "how far states spread, test, parsecs" in page  # the runs' table
    assert "how far states spread, test, parsecs | " in done.stdout  # the README's
