"""``python -m tools.compare`` on commits whose results were written by hand."""

import os
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from markupsafe import escape
from PIL import Image

from study.errors import StudyError
from tests.stages.conftest import DVC_YAML, Results
from tools import compare

pytestmark = pytest.mark.slow

NOTHING = "\N{EN DASH}"
BEFORE, AFTER = [0.5, 0.6, 0.7], [0.6, 0.8, 0.8]


def run_compare(monkeypatch: pytest.MonkeyPatch, *revisions: str) -> str:
    monkeypatch.setattr(sys, "argv", ["compare", *revisions])
    compare.main()
    return Path("report/compare.html").read_text(encoding="utf-8")


def rows(page: str) -> list[list[str]]:
    """Read the text of every table row's cells."""
    tables = [part.split("</tbody>")[0] for part in page.split("<tbody>")[1:]]
    found = []
    for body in tables:
        tree = ElementTree.fromstring(f"<b>{body.replace('<br>', ' ')}</b>")
        found += [[" ".join("".join(td.itertext()).split()) for td in tr] for tr in tree.iter("tr")]
    return found


@pytest.fixture
def two(results: Results) -> Results:
    """Two commits: another alpha, one method that changed, one that did not, one verdict less."""
    results.runs(baseline=BEFORE, manifold=BEFORE, old=BEFORE, **{"None": BEFORE})
    results.claims(flips="supported", stands="inconclusive")
    results.commit("before")
    results.git("tag", "v1")
    results.params(mixup={"alpha": 0.4}, extra=1)
    results.runs(baseline=BEFORE, manifold=AFTER, new=AFTER, **{"None": AFTER})
    results.claims(flips="contradicted", stands="inconclusive")
    results.commit("after <b>")
    return results


def test_markup_in_the_name_of_a_branch_is_escaped(
    two: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "<img/src=x/onerror=window.attacked=1>\"'&</script>"
    two.git("branch", name, "v1")
    text = run_compare(monkeypatch, name, "main")
    assert text.count(str(escape(name))) >= 3
    assert name not in text
    assert "<img" not in text


@pytest.mark.parametrize("content", ['{"e": 0.5}', '{"e": {"m": {"test_accuracy": "<b>"}}}'])
def test_metrics_of_another_shape_are_refused(
    two: Results, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    Path("metrics/summary.json").write_text(content)
    with pytest.raises(StudyError, match=r"metrics/summary\.json holds e.*, which is no mean"):
        run_compare(monkeypatch, "v1", "workspace")


def test_page_has_numbers_verdicts_and_params(
    two: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = run_compare(monkeypatch, "v1", "main")
    assert "after &lt;b&gt;" in text
    shown = {row[0]: row[1:] for row in rows(text)}
    # .1, .2, .1: mean .1333, deviation .0577, 4.3027 * .0577 / sqrt(3) = .1434
    minus = "\N{MINUS SIGN}"
    interval = f"{minus}0.01 to +0.28"
    manifold = ["test_accuracy", "0.6", "0.73333", "+0.13", interval, "3", "not clear"]
    assert shown["manifold"] == shown["None"] == manifold  # a name, and no missing number
    assert shown["baseline"][-1] == "same"
    assert (shown["old"][-1], shown["new"][-1]) == ("only in A", "only in B")
    assert shown["flips"][:3] == [f"supported {NOTHING}", f"contradicted {NOTHING}", "Claim flips"]
    assert shown["mixup.alpha"] == ["2.0", "0.4"]
    assert shown["extra"] == ["absent", "1"]
    assert "stages are out of date" not in text
    assert text.index("flips") < text.index("Verdicts that stand") < text.index("stands")


def test_default_is_head_against_the_workspace(
    two: Results, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two.runs(baseline=BEFORE, manifold=[0.9, 0.9, 0.9], new=AFTER)
    never_run = {"stages": {"never_run": {"cmd": "true", "deps": ["params.yaml"]}}}
    (two.folder / "dvc.yaml").write_text(yaml.safe_dump(DVC_YAML | never_run))
    text = run_compare(monkeypatch)
    assert "1 stage is out of date" in text
    shown = {row[0]: row[1:] for row in rows(text)}
    assert shown["manifold"][2:4] == ["0.9", "+0.17"]
    assert "HEAD against workspace" in unescape(text)
    said = capsys.readouterr().out
    assert "What differs: 0 parameters and 1 file of code." in said
    assert "report/compare.html" in said


def test_swapped_revisions_swap_the_sign(two: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {row[0]: row[1:] for row in rows(run_compare(monkeypatch, "main", "v1"))}
    assert shown["manifold"][1:4] == ["0.73333", "0.6", "\N{MINUS SIGN}0.13"]
    assert shown["mixup.alpha"] == ["0.4", "2.0"]


def test_other_seeds_and_other_experiments(two: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    two.runs("other", baseline=BEFORE)
    shown = rows(run_compare(monkeypatch))
    assert {row[-1] for row in shown if row[1] == "test_accuracy"} == {"only in A", "only in B"}
    two.runs(baseline={1: 0.6, 2: 0.7, 9: 0.1})
    shown = rows(run_compare(monkeypatch))
    assert [row[-2:] for row in shown if row[0] == "baseline"] == [["2 of 3 and 3", "same"]]


def test_code_that_differs_is_named(two: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    (two.folder / "mixup").mkdir()
    (two.folder / "mixup/formula.py").write_text("")
    two.commit("code")
    text = run_compare(monkeypatch, "HEAD~1", "HEAD")
    assert "<li><code>mixup/formula.py</code></li>" in text


def test_figures_that_differ_are_shown(two: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = two.folder / "figures/study"
    folder.mkdir(parents=True)
    for name in ("same", "redrawn", "gone"):
        Image.new("L", (4, 4)).save(folder / f"{name}.png")
    two.commit("figures")
    Image.new("L", (5, 5)).save(folder / "redrawn.png")
    (folder / "gone.png").unlink()
    text = run_compare(monkeypatch)
    assert 'alt="redrawn of HEAD"' in text
    assert 'alt="redrawn of workspace"' in text
    assert "B: workspace has no such figure" in text
    assert "same of HEAD" not in text
    (folder / "redrawn.png").write_bytes(b"")
    with pytest.raises(StudyError, match=r"^the figure redrawn.png of workspace is damaged$"):
        run_compare(monkeypatch)


@pytest.mark.parametrize(
    ("revisions", "said"),
    [
        (["nope"], "'nope' is not a commit, branch, tag or DVC experiment"),
        (["HEAD", "nope"], "'nope' is not a commit, branch, tag or DVC experiment"),
        (["HEAD", ""], "'' is not a commit, branch, tag or DVC experiment"),
        (["HEAD:metrics"], "'HEAD:metrics' is not a commit, branch, tag or DVC experiment"),
        (["HEAD", "main"], "nothing to compare: HEAD and main are the same"),
        (["workspace"], "nothing to compare: workspace and workspace are the same"),
        (["bare"], "bare holds no results: it has no metrics/runs.csv"),
    ],
)
def test_revision_that_cannot_be_compared_is_named(
    two: Results, monkeypatch: pytest.MonkeyPatch, revisions: list[str], said: str
) -> None:
    two.git("rm", "-rq", "metrics")
    two.commit("no results")
    two.git("tag", "bare")
    two.git("reset", "-q", "--hard", "HEAD~1")
    with pytest.raises(StudyError, match=said):
        run_compare(monkeypatch, *revisions)
    assert not Path("report").exists()


@pytest.mark.parametrize("file", ["metrics/summary.json", "metrics/claims.json", "params.yaml"])
def test_damaged_file_is_named(two: Results, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    (two.folder / file).write_text("{ a: [")
    with pytest.raises(StudyError, match=file):
        run_compare(monkeypatch)


def test_without_git_it_says_so(two: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(two.folder / ".git")
    with pytest.raises(StudyError, match="is not a git repository"):
        run_compare(monkeypatch)
    (two.folder / ".dvc/config.local").write_text("[core]\n    no_scm = true\n")
    with pytest.raises(StudyError, match="Git does not track this folder"):
        run_compare(monkeypatch)


def test_exits_with_one_line(two: Results) -> None:
    root = Path(compare.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "tools.compare", "huffy-gasp"],
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "error: 'huffy-gasp' is not a commit, branch, tag or DVC experiment\n"
