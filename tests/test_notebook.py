"""examples/mixup_in_ten_minutes.ipynb: it runs, and what is committed is what it prints."""

import ast
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "examples" / "mixup_in_ten_minutes.ipynb"
# Training differs in its last digits from machine to machine, so the tests leave them open.
DECIMALS = re.compile(r"\d+\.\d+")


@pytest.fixture(scope="module")
def committed() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def outputs(notebook: NotebookNode) -> list[list[str]]:
    """Say what each cell shows: text without its decimals, and the kinds of pictures."""
    return [
        [
            DECIMALS.sub("#", output.text) if "text" in output else " ".join(sorted(output.data))
            for output in cell.outputs
        ]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_it_is_small_and_was_run_from_top_to_bottom(committed: NotebookNode) -> None:
    assert NOTEBOOK.stat().st_size < 300_000
    code = [cell for cell in committed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert str(ROOT) not in NOTEBOOK.read_text(encoding="utf-8")


def test_it_needs_the_library_and_matplotlib_only(committed: NotebookNode) -> None:
    source = "\n".join(cell.source for cell in committed.cells if cell.cell_type == "code")
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else []
        )
    }  # fmt: skip
    assert imported == {"mixup", "torch", "matplotlib"}


def test_its_links_lead_to_its_headings(committed: NotebookNode) -> None:
    text = "\n".join(cell.source for cell in committed.cells if cell.cell_type == "markdown")
    headings = {line.lstrip("# ").replace(" ", "-") for line in re.findall(r"^#.*$", text, re.M)}
    links = re.findall(r"\]\(#(.*?)\)", text)
    assert len(links) == 5
    assert set(links) <= headings
    for file in re.findall(r"`([\w/]+\.(?:md|py))`", text):
        assert (ROOT / file).is_file()


@pytest.mark.slow
def test_it_runs_and_shows_what_is_committed(committed: NotebookNode, tmp_path: Path) -> None:
    folders = {name: str(tmp_path / name) for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR")}
    fresh = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(fresh, timeout=None, resources={"metadata": {"path": str(tmp_path)}}).execute(
        env=os.environ | folders | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    )
    assert outputs(fresh) == outputs(committed)
