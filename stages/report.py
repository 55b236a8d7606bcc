"""Write report/index.html: what was found, where it can be seen and how to make it again."""

from typing import Any

import pandas as pd
import yaml

from study.command import run
from study.data.dataset import load_dataset
from study.data.spirals import SPIRALS
from study.errors import FileError
from study.files import write_text
from study.inference.claims import read_questions
from study.inference.design import read_design
from study.inference.ledger import read_ledger
from study.inference.wording import count_questions, instead_text, range_text
from study.params import check, read_params, read_section
from study.paths import (
    ANSWER,
    CURVES_TABLE,
    FIGURES,
    RANKS_TABLE,
    RUNS_TABLE,
    SUMMARY_TABLE,
    WINS_TABLE,
    data_file,
)
from study.place import PACKAGES, PINS, beside_code, from_code, in_clone, other_study, study_folder
from study.report.claims import claim_views
from study.report.closing import PAGE, closing_lines
from study.report.explorer import explorer
from study.report.gallery import Numbers, gallery, pictures_of_data
from study.report.page import render_page
from study.report.provenance import provenance
from study.report.questions import by_question, by_source, counted
from study.report.ranking import rankings
from study.report.references import references
from study.report.runs import asked_of, run_command, runs_of_experiments
from study.report.study import OWN, facts, method_rows, source_of_data, timed
from study.tables import CURVES, HISTORY, MEASURES, RANKS, SUMMARY, WINS, read_histories, read_table
from study.timings import training_seconds
from study.training.config import ComputeConfig, MixupConfig
from study.training.experiment import ExperimentConfig, KnownExperiments, all_runs, read_experiments

SECTIONS = ("seeds", "mixup", "compute", "experiments")
# Which data the experiments are of.
DATA_SECTIONS = (*SPIRALS, "mnist", OWN)
# Which measures are taken besides, where a study takes them.
MORE_SECTIONS = ("states", "robustness")
# Git is asked whether these differ from the commit; dvc.yaml tells the project from a folder
# that only lies inside another repository.
SOURCES = ("dvc.yaml", "params.yaml", "claims.yaml")
SOURCES_OF_ALL_STUDIES = (PINS, *PACKAGES)
INSTALLED = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "matplotlib", "mlxtend", "dvc")
COMMANDS = {
    "report": "dvc repro report",
    "claims": "dvc repro claims",
    "figures": "dvc repro plots",
}


def main() -> None:
    """Write the page from the params, runs, tables and figures of the study."""
    params = {key: read_section(Any, key) for key in SECTIONS}
    params |= {key: of for key, of in read_params().items() if key in MORE_SECTIONS}
    seeds, experiments = read_experiments()
    used = {experiment.data for experiment in experiments.values()}
    params |= {key: read_section(Any, key) for key in DATA_SECTIONS if key in used}
    keys = all_runs(seeds, experiments)
    alpha = check(MixupConfig, params["mixup"], "mixup").alpha
    ledger, runs = read_ledger(), read_table(RUNS_TABLE, MEASURES)
    asked, histories = asked_of(ledger), read_histories(keys, HISTORY)
    numbers = _numbers(experiments, histories, alpha, asked)
    pictures = [
        *pictures_of_data(params),
        *gallery(FIGURES, experiments, numbers),
    ]
    design = read_design((), read_section(KnownExperiments, "experiments"))
    commands = COMMANDS | {"next_look": f"python {beside_code('tools')} next_look"}
    claims = claim_views(ledger, runs, pictures)
    ranks, wins = read_table(RANKS_TABLE, RANKS), read_table(WINS_TABLE, WINS)
    seconds = training_seconds(keys)
    page = render_page(
        "report.html.j2",
        folder=study_folder(),
        other_study=other_study(),
        seeds_said=range_text(len(of.seeds_or(seeds)) for of in experiments.values()),
        experiments=experiments,
        n_runs=len(keys),
        n_methods=len({key.method for key in keys}),
        answer=answer_lines(params),
        claims=claims,
        counts=counted(claims),
        n_questions=count_questions(ledger),
        counted=counted,
        questions=by_question(claims, read_questions()),
        sources=by_source(claims),
        rankings=rankings(ranks, wins),
        explorer=explorer(seeds, experiments, runs, histories),
        pictures=pictures,
        run_tables=runs_of_experiments(
            seeds, experiments, runs, seconds, run_command(experiments), asked
        ),
        timed=timed(seconds),
        facts=_facts(seeds, experiments, alpha, params),
        methods=method_rows(experiments),
        params=yaml.safe_dump(params, sort_keys=False, allow_unicode=True),
        provenance=provenance([*SOURCES, *sources_of_code()], INSTALLED),
        references=references(ledger),
        commands={name: from_code(command) for name, command in commands.items()},
        instead=instead_text(ledger),
        looks=design.looks if design.looks[0].seeds else (),
        error=sum(look.level for look in design.looks),
        resampled=list(design.resampled),
    )
    write_text(PAGE, page)
    print(*closing_lines(ledger), sep="\n")


def answer_lines(params: dict[str, Any]) -> list[str]:
    """Read the answer that a study of one's own gives; others have none."""
    if OWN not in params:
        return []
    try:
        return ANSWER.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise FileError(ANSWER) from error


def sources_of_code() -> list[str]:
    """Name the code that Git tracks beside the study; what is installed it does not."""
    return [beside_code(name) for name in SOURCES_OF_ALL_STUDIES] if in_clone() else []


def _numbers(
    experiments: dict[str, ExperimentConfig],
    histories: pd.DataFrame,
    alpha: float,
    asked: set[tuple[str, str]],
) -> Numbers:
    return Numbers(
        read_table(SUMMARY_TABLE, SUMMARY),
        read_table(CURVES_TABLE, CURVES),
        histories,
        {
            name: {m: of.methods[m].alpha or alpha for m in of.mixing_without_choice}
            for name, of in experiments.items()
        },
        asked,
    )


def _facts(
    seeds: list[int],
    experiments: dict[str, ExperimentConfig],
    alpha: float,
    params: dict[str, Any],
) -> list[tuple[str, str]]:
    names = sorted({experiment.data for experiment in experiments.values()})
    return facts(
        seeds,
        alpha,
        check(ComputeConfig, params["compute"], "compute").threads,
        experiments,
        {name: load_dataset(data_file(name)) for name in names},
        {name: source_of_data(name, params[name]) for name in names if name in params},
    )


if __name__ == "__main__":
    run(main, __doc__)
