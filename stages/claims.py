"""Decide the claims of claims.yaml by what was measured on every run; rank the methods by seed."""

import json

from mixup.study.command import run
from mixup.study.files import whole_file
from mixup.study.inference.claims import not_asked, read_claims
from mixup.study.inference.ledger import ledger_metrics, ledger_table
from mixup.study.inference.wins import ranks_table, wins_table
from mixup.study.params import read_section
from mixup.study.tables import MEASURES, read_table, write_table
from mixup.study.training.config import ExperimentConfig, KnownExperiments


def main() -> None:
    claims = read_claims()
    experiments: dict[str, ExperimentConfig] = read_section(KnownExperiments, "experiments")
    runs = read_table("metrics/runs.csv", MEASURES)
    ledger = ledger_table(claims, runs, not_asked(claims, experiments, runs))
    write_table("metrics/claims.csv", ledger)
    write_table("metrics/ranks.csv", ranks_table(runs))
    write_table("metrics/wins.csv", wins_table(runs))
    with whole_file("metrics/claims.json") as temporary:
        content = json.dumps(ledger_metrics(ledger), indent=1, allow_nan=False)
        temporary.write_text(content + "\n", encoding="utf-8")


if __name__ == "__main__":
    run(main, __doc__)
