"""The command that makes a plan's next look, on a study of two experiments made up by hand."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from stages import claims
from study.errors import StudyError
from study.paths import RunKey
from study.tables import measures_table, write_table
from tools import next_look

CLAIM = {
    "sentence": "It is so", "source": "x", "metric": "score", "method": "input",
    "than": "baseline", "direction": "higher", "smallest": 0.1,
}  # fmt: skip
PARAMS = """\
seeds: [100, 101, 102, 103] # fresh
experiments:
{}"""
EXPERIMENT = """\
  {}:
    data: spirals # a word
    net: {{width: 2, depth: 1, negative_slope: 0.0}}
    training: {{{}test_fraction: 0.5, batch_size: 2, steps: 1, learning_rate: 0.1, evaluations: 1}}
    plain: [baseline]
    mixing: [input]
    methods: {{baseline: {{}}, input: {{eligible: [0]}}}}
"""
STUDY = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())
REST = yaml.safe_dump({key: STUDY[key] for key in ("mixup", "compute", "spirals", "mnist")})
CLEAR, UNCLEAR = [1.0, 1.1, 0.9, 1.05], [0.5, -0.6, 0.4, -0.2]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["next_look"])
    each = "".join(EXPERIMENT.format(name, "") for name in ("clear", "unclear"))
    (tmp_path / "params.yaml").write_text(PARAMS.format(each) + REST)
    asked = [CLAIM | {"id": name, "experiment": name} for name in ("clear", "unclear")]
    plan = {"looks": [4, 8], "errors": [0.02, 0.03]}
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump({"claims": asked, "plan": plan}))
    measures = {
        RunKey(name, method, 100 + seed): {"score": value if method == "input" else 0.0}
        for name, values in (("clear", CLEAR), ("unclear", UNCLEAR))
        for method in ("baseline", "input")
        for seed, value in enumerate(values)
    }
    write_table("metrics/runs.csv", measures_table(measures))
    return tmp_path


def test_adds_seeds_to_the_experiment_of_the_open_claim_once(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (study / "params.yaml").read_text()
    next_look.main()
    after = (study / "params.yaml").read_text()
    added = "    seeds: [100, 101, 102, 103, 104, 105, 106, 107]\n"
    assert after.replace(added, "") == before
    assert yaml.safe_load(after)["experiments"]["unclear"]["seeds"] == list(range(100, 108))
    said = capsys.readouterr().out
    assert "2 claims: 1 supported, 0 contradicted, 1 inconclusive" in said
    assert "unclear: 4 -> 8 seeds; open claims: 1" in said
    with pytest.raises(StudyError, match="not finished: unclear input with seed 104"):
        next_look.main()


def test_an_experiment_without_training_data_for_more_seeds_has_no_further_look(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = EXPERIMENT.format("unclear", "disjoint: 10000, ").replace("spirals", "mnist")
    text = PARAMS.format(EXPERIMENT.format("clear", "") + blocks) + REST
    (study / "params.yaml").write_text(text.replace("source: bundled", "source: download"))
    with pytest.raises(StudyError, match="no experiment with an open claim can have more seeds"):
        next_look.main()
    assert "unclear: no further look (" in capsys.readouterr().out
    assert "seeds: [100, 101, 102, 103, 104" not in (study / "params.yaml").read_text()


def test_a_dry_run_changes_nothing(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (study / "params.yaml").read_text()
    monkeypatch.setattr(sys, "argv", ["next_look", "--dry-run"])
    next_look.main()
    assert (study / "params.yaml").read_text() == before


def test_the_next_look_decides_with_its_own_error_and_leaves_the_first_alone(study: Path) -> None:
    (study / "claims.yaml").write_text(
        (study / "claims.yaml").read_text() + "headline: {clear: [score]}\n"
    )
    claims.main()
    first = json.loads(Path("metrics/claims.json").read_text())
    assert first["unclear"]["verdict"] == "inconclusive"
    table = Path("metrics/runs.csv").read_text()
    more = "".join(
        f"unclear,{method},{104 + seed},score,{value}\n"
        for method, values in (("baseline", [0.0] * 4), ("input", [-0.6, -0.7, -0.5, -0.6]))
        for seed, value in enumerate(values)
    )
    Path("metrics/runs.csv").write_text(table + more)
    claims.main()
    second = json.loads(Path("metrics/claims.json").read_text())
    assert second["clear"] == first["clear"]
    assert second["unclear"]["difference"] == pytest.approx(-0.2875)
