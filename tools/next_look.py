"""Make the next look of a plan: add the seeds that open claims need to params.yaml."""

import argparse
from pathlib import Path

from study.command import run
from study.errors import StudyError
from study.files import write_text
from study.inference.claims import read_claims
from study.inference.design import not_asked, read_design
from study.inference.ledger import ledger_table
from study.inference.next_look import next_seeds, with_seeds
from study.inference.verdicts import INCONCLUSIVE
from study.inference.wording import counts_text
from study.params import read_section
from study.paths import RUNS_TABLE
from study.tables import MEASURES, read_table
from study.training.experiment import ExperimentConfig, KnownExperiments, Seeds
from study.validation import refused

PARAMS = Path("params.yaml")


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Add the seeds of the next look in claims.yaml to the experiments of "
        "params.yaml that open claims need. It refuses a look that is not due."
    )
    parser.add_argument("--dry-run", action="store_true", help="say which seeds, change nothing")
    asked = parser.parse_args()
    experiments: dict[str, ExperimentConfig] = read_section(KnownExperiments, "experiments")
    default: list[int] = read_section(Seeds, "seeds")
    of_each = {name: experiment.seeds_or(default) for name, experiment in experiments.items()}
    runs = read_table(RUNS_TABLE, MEASURES)
    claims = read_claims()
    design = read_design(claims, experiments)
    ledger = ledger_table(claims, runs, not_asked(claims, experiments, runs), design)
    verdicts = dict(zip(ledger["id"], ledger["verdict"], strict=True))
    added = next_seeds(claims, verdicts, of_each, design.looks, runs)
    text = before = PARAMS.read_text(encoding="utf-8")
    print(counts_text(ledger))
    for name, seeds in added.items():
        longer = with_seeds(text, name, seeds)
        if why := refused(longer):
            print(f"{name}: no further look ({why})")
            continue
        n_open = sum(c.experiment == name and verdicts[c.id] == INCONCLUSIVE for c in claims)
        print(f"{name}: {len(of_each[name])} -> {len(seeds)} seeds; open claims: {n_open}")
        text = longer
    if text == before:
        raise StudyError("no experiment with an open claim can have more seeds")
    if not asked.dry_run:
        write_text(PARAMS, text)
        print(f"{PARAMS} has them; `dvc repro` trains them")


if __name__ == "__main__":
    run(main)
