"""Write the tables of full/README.md: the experiments, the verdicts, each question's claims."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from study.command import run
from study.errors import StudyError
from study.files import write_text
from study.inference.claims import Claim, read_claims
from study.inference.ledger import read_ledger
from study.inference.verdicts import ALL_VERDICTS, NOT_ASKED
from study.inference.wording import counts_text, instead_text
from study.paths import CLAIMS_TABLE
from study.report.markdown import claim_cells, insert, read_page, table
from study.validation import Study, read_study

PAGE, PARAMS, CLAIMS, LEDGER = (
    Path("full", name) for name in ("README.md", "params.yaml", "claims.yaml", CLAIMS_TABLE)
)


def experiments_table(study: Study) -> str:
    """Write as Markdown how many runs each experiment has."""
    rows: list[tuple[str, str, int, int, int]] = []
    for name, experiment in study.experiments.items():
        n_methods, n_seeds = len(experiment.all_methods), len(experiment.seeds_or(study.seeds))
        rows.append((f"`{name}`", experiment.data, n_methods, n_seeds, n_methods * n_seeds))
    total = ("all", "", "", "", sum(row[-1] for row in rows))
    header = ["experiment", "data", "methods", "seeds", "runs"]
    return table(header, [[str(cell) for cell in row] for row in [*rows, total]])


def found(ledger: pd.DataFrame) -> dict[str, str]:
    """Write what was found as Markdown: a block of all verdicts, and one for each family.

    Args:
        ledger: of the claims; each has a family.
    """
    families = {str(name): rows for name, rows in ledger.groupby("family", sort=False)}
    return {"verdicts": _verdicts(ledger, families)} | {
        name: _claims(rows) for name, rows in families.items()
    }


def check_same_claims(claims: Sequence[Claim], ledger: pd.DataFrame) -> None:
    """Refuse a ledger of other claims.

    Raises:
        StudyError: the ledger does not decide the claims, in their order.
    """
    if [claim.id for claim in claims] != ledger["id"].tolist():
        raise StudyError(f"{LEDGER} is not of the claims in {CLAIMS}: run `make full`")


def _verdicts(ledger: pd.DataFrame, families: dict[str, pd.DataFrame]) -> str:
    asked = [name for name in ALL_VERDICTS if name != NOT_ASKED or name in set(ledger["verdict"])]
    rows = [
        [f"`{name}`", str(len(of)), *(str(sum(of["verdict"] == verdict)) for verdict in asked)]
        for name, of in families.items()
    ]
    instead = instead_text(ledger)
    counts = f"**{counts_text(ledger)}.**" + f" Of the contradicted: {instead}." * bool(instead)
    return f"{counts}\n\n{table(['question', 'claims', *asked], rows)}"


def _claims(ledger: pd.DataFrame) -> str:
    settled_first = ledger.sort_values(
        "verdict", key=lambda verdicts: verdicts.map(ALL_VERDICTS.index), kind="stable"
    )
    rows = [[*claim_cells(row), str(row.n)] for row in settled_first.itertuples()]
    return table(["claim", "verdict", "found", "seeds"], rows)


def main() -> None:
    page = read_page(PAGE, "experiments")
    ledger = read_ledger(LEDGER)
    check_same_claims(read_claims(CLAIMS), ledger)
    sections = {"experiments": experiments_table(read_study(PARAMS)), **found(ledger)}
    write_text(PAGE, insert(page, sections))


if __name__ == "__main__":
    run(main, __doc__)
