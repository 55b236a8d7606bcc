"""Write report/index.html: what was found, where it can be seen and how to make it again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from mixup.analysis.ledger import read_ledger
from mixup.analysis.tables import CURVES, MEASURES, RANKS, SUMMARY, WINS, read_history, read_table
from mixup.data.dataset import load_dataset
from mixup.data.spirals import SpiralsConfig
from mixup.files import whole_file
from mixup.params import check, read_section
from mixup.report.claims import by_source, claim_views, counted
from mixup.report.explorer import explorer
from mixup.report.gallery import Numbers, gallery, picture_of_spirals
from mixup.report.page import render_page
from mixup.report.provenance import provenance, training_seconds
from mixup.report.runs import runs_of_experiments
from mixup.report.seeds import rankings
from mixup.report.study import facts, method_rows, timed
from mixup.training.config import (
    ExperimentConfig,
    MixupConfig,
    Name,
    RunKey,
    Seeds,
    TrainConfig,
    all_runs,
)
from mixup.training.run import run_folder
from stages.command import run

PAGE = Path("report/index.html")
SECTIONS = ("seeds", "mixup", "train", "spirals", "mnist", "experiments")
HISTORY = ["step", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "k", "lam"]
# Git is asked whether these differ from the commit; dvc.yaml tells the project from a folder
# that only lies inside another repository.
SOURCES = ("dvc.yaml", "params.yaml", "claims.yaml", "requirements.lock", "mixup", "stages")
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "matplotlib", "mlxtend", "dvc")
COMMANDS = {
    "report": "dvc repro report",
    "claims": "dvc repro claims",
    "figures": "dvc repro plots",
}
REFERENCES = [
    (
        "TensorFlow implementation",
        "https://github.com/rahulmadanahalli/manifold_mixup",
        "Manifold Mixup ML Implementation, with figures of spirals and of MNIST bottlenecks",
    ),
    (
        "Video",
        "https://github.com/jankrepl/mildlyoverfitted/tree/master/github_adventures/mixup",
        "Mixup in PyTorch, here its code: six ways to train on two spirals, on two seeds",
    ),
    (
        "Verma et al. 2019",
        "https://arxiv.org/abs/1806.05236",
        "Manifold Mixup: Better Representations by Interpolating Hidden States",
    ),
    (
        "Zhang et al. 2018",
        "https://arxiv.org/abs/1710.09412",
        "mixup: Beyond Empirical Risk Minimization, the paper on mixing inputs",
    ),
    (
        "Thulasidasan et al. 2019",
        "https://arxiv.org/abs/1905.11001",
        "On Mixup Training: Improved Calibration and Predictive Uncertainty",
    ),
]


def main() -> None:
    """Write the page from the params, runs, tables and figures of the study."""
    params = {key: read_section(Any, key) for key in SECTIONS}
    seeds: list[int] = check(Seeds, params["seeds"], "seeds")
    experiments: dict[str, ExperimentConfig] = check(
        dict[Name, ExperimentConfig], params["experiments"], "experiments"
    )
    keys = all_runs(seeds, experiments)
    alpha = check(MixupConfig, params["mixup"], "mixup").alpha
    runs, histories = read_table("metrics/runs.csv", MEASURES), _histories(keys)
    pictures = [
        picture_of_spirals(
            Path("figures/spirals_data.png"), check(SpiralsConfig, params["spirals"], "spirals")
        ),
        *gallery(Path("figures/study"), experiments, _numbers(experiments, histories, alpha)),
    ]
    claims = claim_views(read_ledger(), runs, seeds, pictures)
    ranks, wins = read_table("metrics/ranks.csv", RANKS), read_table("metrics/wins.csv", WINS)
    seconds = training_seconds(keys)
    page = render_page(
        "report.html.j2",
        seeds=seeds,
        experiments=experiments,
        n_runs=len(keys),
        n_methods=len({key.method for key in keys}),
        claims=claims,
        counts=counted(claims),
        counted=counted,
        sources=by_source(claims),
        rankings=rankings(ranks, wins),
        explorer=explorer(seeds, experiments, runs, histories),
        pictures=pictures,
        run_tables=runs_of_experiments(seeds, experiments, runs, seconds, run_command(experiments)),
        timed=timed(seconds),
        facts=_facts(seeds, experiments, alpha, params),
        methods=method_rows(experiments),
        params=yaml.safe_dump(params, sort_keys=False, allow_unicode=True),
        provenance=provenance(SOURCES, PACKAGES),
        references=REFERENCES,
        commands=COMMANDS,
        more_seeds=lambda wanted: f"dvc exp run -S 'seeds=[{','.join(map(str, wanted))}]'",
    )
    with whole_file(PAGE) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _histories(keys: list[RunKey]) -> pd.DataFrame:
    return pd.concat(read_history(run_folder(key), HISTORY).assign(**key._asdict()) for key in keys)


def _numbers(
    experiments: dict[str, ExperimentConfig], histories: pd.DataFrame, alpha: float
) -> Numbers:
    return Numbers(
        read_table("metrics/summary.csv", SUMMARY),
        read_table("metrics/curves.csv", CURVES),
        histories,
        {name: alpha if experiment.mixing else None for name, experiment in experiments.items()},
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
        check(TrainConfig, params["train"], "train").threads,
        experiments,
        {name: load_dataset(Path("data") / f"{name}.npz") for name in names},
        {
            "spirals": f"kind {params['spirals']['kind']}, seed {params['spirals']['seed']}",
            "mnist": f"source {params['mnist']['source']}",
        },
    )


def run_command(experiments: dict[str, ExperimentConfig]) -> Callable[[RunKey], str]:
    """Name the stage that trains a run, as a command."""

    def command(key: RunKey) -> str:
        group = "mixing" if key.method in experiments[key.experiment].mixing else "plain"
        return f"dvc repro train_{key.experiment}_{group}@{key.method}-{key.seed}"

    return command


if __name__ == "__main__":
    run(main, __doc__)
