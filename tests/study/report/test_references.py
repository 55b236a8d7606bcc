"""Whoever makes a claim is named with a place to read it."""

from pathlib import Path

import pytest

from study.inference.ledger import read_ledger
from study.report.references import ALWAYS_NAMED, references

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("study", [".", "full"])
def test_every_source_of_a_claim_has_its_reference(study: str) -> None:
    ledger = read_ledger(ROOT / study / "metrics/claims.csv")
    names = [name.lower() for name, *_ in references(ledger)]
    for source in ledger["source"]:
        assert any(name in source.lower() for name in names), source
    sources = " ".join(ledger["source"]).lower()
    unused = {name for name in names if name not in sources}
    assert unused <= {name.lower() for name in ALWAYS_NAMED}
