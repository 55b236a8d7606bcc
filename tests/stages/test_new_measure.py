"""A new measure and a new figure, written as CONTRIBUTING.md says: both stand everywhere then."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.stages.conftest import keep_only

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FAMILY = "study/measures/embedding.py"
COMPUTED = """
        measures[f"{split}_spread"] = float(np.std(states))
"""
NAMED = """
    Measure(
        "test_spread", "how far states spread, test", "parsecs",
        seen_in=("methods", "spread"), said_in=("methods", "spread"), headline=True,
    ),
"""
FIGURE = """
from study.figures.style import new_figure, styled

@styled()
def draw_spread(runs, colours, title):
    figure = new_figure(5, 3)
    axes = figure.subplots()
    for row, (method, colour) in enumerate(colours.items()):
        of_method = runs[(runs["method"] == method) & (runs["metric"] == "test_spread")]
        axes.plot(of_method["value"], [row] * len(of_method), "o", color=colour)
    figure.suptitle(title)
    return figure
"""
IMPORTED = """
from study.figures.spread import draw_spread"""
DRAWN = """
    if seen_in("spread", found):
        yield f"spread_{name}", draw_spread(runs, colours, name)"""
KIND = """
    "spread": Kind("states in space", "How far the states spread, a row for each method"),"""
STAGES = ("embed_bottleneck", "summarize", "claims", "plots", "report")


def with_lines_after(text: str, place: str, lines: str) -> str:
    before, found, after = text.partition(place)
    assert found, f"{place} is not there"
    return f"{before}{found}{lines}{after}"


def edit(file: Path, *edits: tuple[str, str]) -> None:
    """Put lines after places in a file."""
    text = file.read_text(encoding="utf-8")
    for place, lines in edits:
        text = with_lines_after(text, place, lines)
    file.write_text(text, encoding="utf-8")


def height(picture: str) -> int:
    with Image.open(picture) as opened:
        return opened.height


def test_a_measure_and_a_figure_are_tabulated_summed_up_drawn_and_reported(
    study: Path, tmp_path: Path
) -> None:
    code = tmp_path / "code"
    for package in ("mixup", "stages", "study", "tools"):
        shutil.copytree(ROOT / package, code / package)
    measured = ("for split, (states, labels) in splits.items():", COMPUTED)
    edit(code / FAMILY, measured, ("_OF_TEST = [", NAMED))
    (code / "study/figures/spread.py").write_text(FIGURE, encoding="utf-8")
    imports = ("from study.figures.robustness import draw_attacks, draw_deformations", IMPORTED)
    edit(code / "study/figures/measured.py", imports, ('found = set(runs["metric"])', DRAWN))
    edit(code / "study/report/kinds.py", ("KINDS = {", KIND))
    keep_only("flat", "wide")
    before = height("figures/study/methods_flat.png")
    tables = {"summarize": [f"metrics/{name}.csv" for name in ("embedding", "flatness")]}
    program = "; ".join(
        f"from stages import {name}; {name}.main({tables.get(name, '')})" for name in STAGES
    )
    program += (
        "; from tools.write_claims import _metrics_table as table; import pandas as pd"
        "; summary = pd.read_csv('metrics/summary.csv').query('experiment == \"flat\"')"
        "; print(table('flat', summary))"
    )
    environment = os.environ | {"PYTHONPATH": str(code)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip

    runs, summary = (pd.read_csv(f"metrics/{name}.csv") for name in ("runs", "summary"))
    values = runs.query("metric == 'test_spread'")["value"]
    assert len(values) == 2  # seeds
    assert (values > 0).all()
    row = summary.query("metric == 'test_spread'")
    assert abs(row["mean"].item() - values.mean()) < 1e-5
    assert not runs.query("metric == 'train_spread'").empty
    assert height("figures/study/methods_flat.png") > before  # a panel more
    page = Path("report/index.html").read_text(encoding="utf-8")
    assert "how far states spread, test, parsecs" in page  # the runs' table
    drawn = {path.name for path in Path("figures/study").glob("spread_*")}
    assert drawn == {"spread_flat.png"}  # that with a bottleneck of two
    assert "flat: states in space" in page
    assert 'How far the states spread, a row for each method."' in page
    assert "how far states spread, test, parsecs | " in done.stdout  # of docs/claims.md
