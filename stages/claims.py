"""Decide the claims of claims.yaml by what was measured on every run; rank the methods by seed."""

import json

from study.command import run
from study.files import write_text
from study.inference.claims import read_claims
from study.inference.design import not_asked, read_design
from study.inference.headline import headline, read_headline
from study.inference.ledger import ledger_metrics, ledger_table
from study.inference.ranking import ranks_table, wins_table
from study.params import read_section
from study.paths import (
    CLAIMS_TABLE,
    HEADLINE_JSON,
    RANKS_TABLE,
    RUNS_TABLE,
    VERDICTS_JSON,
    WINS_TABLE,
)
from study.tables import MEASURES, read_table, write_table
from study.training.experiment import ExperimentConfig, KnownExperiments


def main() -> None:
    claims = read_claims()
    experiments: dict[str, ExperimentConfig] = read_section(KnownExperiments, "experiments")
    runs = read_table(RUNS_TABLE, MEASURES)
    unasked = not_asked(claims, experiments, runs)
    ledger = ledger_table(claims, runs, unasked, read_design(claims, experiments))
    write_table(CLAIMS_TABLE, ledger)
    write_table(RANKS_TABLE, ranks_table(runs))
    write_table(WINS_TABLE, wins_table(runs))
    measures = read_headline(experiments, runs)
    write_json(HEADLINE_JSON, headline(measures, claims, ledger, runs))
    write_json(VERDICTS_JSON, ledger_metrics(ledger))


def write_json(path: str, content: object) -> None:
    text = json.dumps(content, indent=1, allow_nan=False)
    write_text(path, f"{text}\n")


if __name__ == "__main__":
    run(main, __doc__)
