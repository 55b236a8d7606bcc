"""Whatever claims.yaml holds is decided or refused in a line."""

import copy
import math
from pathlib import Path

import pandas as pd
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from study.errors import StudyError
from study.inference.claims import read_claims
from study.inference.design import not_asked
from study.inference.ledger import ledger_metrics, ledger_table
from study.paths import RunKey
from study.tables import measures_table
from study.validation import read_study
from tests.study.inference.known_runs import WIDER

ROOT = Path(__file__).parents[3]

ENTRY = WIDER | {"id": "C1"}
KEYS = [*ENTRY, "relative", "twin"]
WORDS = ["spirals", "area", "loss", "manifold", "baseline", "higher", "lower", "same", "varies"]
ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([*WORDS, "C1", "a\nb", "<b>", [], {}, 10**400, "1e-4", "nan"]),
    st.text(max_size=8),
    st.lists(st.integers(-1, 5), max_size=3),
    st.dictionaries(st.text(max_size=5) | st.integers(), st.integers(), max_size=2),
)
fuzz = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


def runs() -> pd.DataFrame:
    """Measures of two methods: one that differs, one that is 0 everywhere, one that is missing."""
    values = {"baseline": (0.1, 0.2, 0.4), "manifold": (0.3, 0.1, 0.9)}
    return measures_table(
        {
            RunKey("spirals", method, seed): {"area": value, "loss": 0.0, "gone": math.nan}
            for method, of_seeds in values.items()
            for seed, value in enumerate(of_seeds)
        }
    )


RUNS = runs()
EXPERIMENTS = {"spirals": read_study(ROOT / "params.yaml").experiments["spirals"]}


def decided(path: Path) -> pd.DataFrame | None:
    """Decide the claims as the stage does, or check that the refusal is a short line."""
    try:
        claims = read_claims(path)
        unasked = not_asked(claims, EXPERIMENTS, RUNS, path)
    except StudyError as error:
        line = str(error).replace(str(path), "")
        assert line.isprintable()
        assert len(line) < 1000
        return None
    ledger = ledger_table(claims, RUNS, unasked)
    ledger_metrics(ledger)
    return ledger


@fuzz
@given(text=st.text(max_size=60) | st.text("[]{}:,-?&*!|>'\"%@#~01.e \n\tclaims", max_size=60))
@example("claims: [{? {}: 1}]")
@example("claims: [{1: 2}]")
@example("claims: [[[[[]]]]]")
@example("claims: [{id: !!python/object/apply:os.system [false]}]")
def test_any_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / "claims.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    ledger = decided(path)
    assert ledger is None or ledger.empty


@fuzz
@given(data=st.data())
def test_any_change_of_an_entry(tmp_path: Path, data: st.DataObject) -> None:
    entries = [copy.deepcopy(ENTRY), copy.deepcopy(ENTRY) | {"id": "C2", "twin": "C1"}]
    for _ in range(data.draw(st.integers(1, 3))):
        entry = entries[data.draw(st.integers(0, 1))]
        key = data.draw(st.sampled_from(KEYS) | st.text(max_size=5))
        if data.draw(st.booleans()):
            entry[key] = data.draw(ANY)
        else:
            entry.pop(key, None)
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump({"claims": entries}), encoding="utf-8")
    ledger = decided(path)
    if ledger is not None:
        assert set(ledger["verdict"]) <= {"supported", "contradicted", "inconclusive", "not asked"}


def test_the_entries_that_are_changed_are_decided(tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump({"claims": [ENTRY]}), encoding="utf-8")
    ledger = decided(path)
    assert ledger is not None
    assert ledger["id"].tolist() == ["C1"]
