"""What DVC tells of its experiments, side by side: a real Git and DVC repository."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from study.errors import StudyError
from tests.stages.conftest import Results
from tools import show_experiments

pytestmark = pytest.mark.slow


def write(results: Results, alpha: float, nll: float, **params: object) -> None:
    results.params(mixup={"alpha": alpha}, seeds=[0, 1], **params)
    (results.folder / "metrics").mkdir(exist_ok=True)
    content = {"claims": {"supported": 1}, "e": {"manifold": {"test_nll": nll}}}
    (results.folder / "metrics/headline.json").write_text(json.dumps(content))


@pytest.fixture
def varied(results: Results) -> Results:
    dvc_yaml = yaml.safe_load(Path("dvc.yaml").read_text())
    Path("dvc.yaml").write_text(yaml.safe_dump(dvc_yaml | {"metrics": ["metrics/headline.json"]}))
    write(results, 2.0, 0.5)
    results.commit("alpha 2")
    write(results, 8.0, 0.25, more=True)
    results.experiment("high")
    return results


def printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> str:
    monkeypatch.setattr(sys, "argv", ["show_experiments", *words])
    show_experiments.main()
    return capsys.readouterr().out


def test_a_column_each_of_what_differs_and_of_the_headline(varied, monkeypatch, capsys):
    lines = printed(monkeypatch, capsys).splitlines()
    assert [line.split() for line in lines] == [
        ["workspace", "main", "high"],
        ["mixup.alpha", "2.0", "2.0", "8.0"],
        ["more", "-", "-", "True"],
        ["claims.supported", "1", "1", "1"],
        ["e.manifold.test_nll", "0.5", "0.5", "0.25"],
    ]


def test_an_experiment_that_runs_here_has_no_column_yet(varied, monkeypatch, capsys):
    command = [sys.executable, "-m", "dvc", "exp", "show", "--json"]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    (commit,) = [one for one in shown if one["experiments"]]
    # as DVC 3.67 tells of one that `dvc exp run` runs in the workspace
    running = {"rev": "workspace", "name": "other", "data": {"params": {}, "metrics": {}}}
    executor = {"state": "running", "name": "workspace"}
    commit["experiments"].append({"revs": [running], "executor": executor, "name": "other"})
    assert list(show_experiments.side_by_side(shown).columns) == ["workspace", "main", "high"]


def test_rows_keep_the_order_of_the_study_where_an_experiment_has_fewer(
    varied, monkeypatch, capsys
):
    content = {"e": {"manifold": {"test_nll": 1}}, "a": {"manifold": {"test_nll": 2}}}
    Path("metrics/headline.json").write_text(json.dumps({"claims": {"supported": 1}} | content))
    varied.commit("more")
    Path("metrics/headline.json").write_text(json.dumps({"e": content["e"]}))
    varied.experiment("fewer")
    rows = [line.split()[0] for line in printed(monkeypatch, capsys).splitlines()[1:]]
    assert rows[-3:] == ["claims.supported", "e.manifold.test_nll", "a.manifold.test_nll"]


def test_an_experiment_of_another_study_of_the_repository_has_no_column(
    results, monkeypatch, capsys
):
    theirs = Path("other/params.yaml")
    theirs.parent.mkdir()
    theirs.write_text("alpha: 1")
    Path("dvc.yaml").write_text(yaml.safe_dump({"metrics": ["metrics/headline.json"]}))
    write(results, 2.0, 0.5)
    results.commit("two studies")
    theirs.write_text("alpha: 2")
    results.experiment("theirs")
    write(results, 8.0, 0.25)
    results.experiment("high")
    said = printed(monkeypatch, capsys)
    assert said.split()[:3] == ["workspace", "main", "high"]
    assert "theirs" not in said


def test_hands_words_to_dvc(varied, monkeypatch, capsys):
    said = printed(monkeypatch, capsys, "--hide-workspace")
    assert said.split()[:2] == ["main", "high"]
    with pytest.raises(StudyError, match=r"^unrecognized arguments: --nope$"):
        printed(monkeypatch, capsys, "--nope")


def test_many_experiments_fit_the_width(varied, monkeypatch, capsys):
    for number in range(15):
        write(varied, 0.1 + number, 0.5 + number / 100)
        varied.experiment(f"experiment-{number}")
    said = printed(monkeypatch, capsys)
    assert max(map(len, said.splitlines())) <= 120
    assert all(f" experiment-{number}" in said for number in range(15))


def test_says_that_there_is_nothing(results, monkeypatch, capsys):
    results.commit("nothing")
    with pytest.raises(StudyError, match=r"no revision shown has metrics/headline\.json"):
        printed(monkeypatch, capsys)
