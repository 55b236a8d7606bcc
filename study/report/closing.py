"""The last words of a study that was run: what was found, and what to open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from study.inference.verdicts import SETTLED
from study.inference.wording import counts_text, effect_text
from study.paths import copied_from
from study.place import study_folder

PAGE = Path("report/index.html")


def closing_lines(ledger: pd.DataFrame) -> list[str]:
    """Say what was found, the surest claim of all, and which page to open if there is one."""
    lines = [f"Found: {counts_text(ledger)}."]
    settled = ledger[ledger["verdict"].isin(SETTLED)]
    if len(settled):
        claim: Any = next(settled.nsmallest(1, "p").itertuples())
        lines.append(f"Surest, {claim.verdict}: {claim.sentence}, {effect_text(claim)}.")
    if PAGE.exists() and not copied_from():  # where it goes when the experiment ends
        page = study_folder() / PAGE
        lines.append(f"Open {page} in a browser: every claim with its evidence, every run.")
    return lines
