"""Choose a method's settings on the validation data of its run, by training with each of them."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from study.data.dataset import Dataset
from study.files import SUMS, sums
from study.training.run_config import RunConfig
from study.training.trainer import train_run

CHOICE = "choice.csv"


def train(
    config: RunConfig,
    dataset: Dataset,
    checkpoint: Path | None = None,
    *,
    show_progress: bool = True,
) -> dict[str, bytes]:
    """Train a run, and before that choose what its method leaves open.

    A run that chooses trains once with each combination of ``settings.choose``, from the same
    initial weights and with the same batches, and is the one with the least validation NLL. Test
    data take no part in the choice.

    Args:
        config: the run.
        dataset: as of `train_run`.
        checkpoint: likewise; a run that chooses has none, and starts anew.
        show_progress: likewise.

    Returns:
        The files of the run's folder, by name. Of a run that chooses also choice.csv: a row for
        each combination, its validation NLL, and which was chosen.

    Raises:
        StudyError: as of `train_run`.
    """
    choose = config.settings.choose
    if not choose:
        return train_run(config, dataset, checkpoint, show_progress=show_progress)
    tried: list[tuple[float, dict[str, Any], dict[str, bytes]]] = []
    for combination in choose.combinations:
        files = train_run(with_settings(config, combination), dataset, show_progress=show_progress)
        tried.append((json.loads(files["metrics.json"])["validation_nll"], combination, files))
    best = min(range(len(tried)), key=lambda i: tried[i][0])
    rows = [
        combination | {"validation_nll": nll, "chosen": int(i == best)}
        for i, (nll, combination, _) in enumerate(tried)
    ]
    files = {name: content for name, content in tried[best][2].items() if name != SUMS}
    files[CHOICE] = _table(rows)
    return files | {SUMS: sums(files)}


def with_settings(config: RunConfig, combination: dict[str, Any]) -> RunConfig:
    """Give the run with one combination of what its method leaves open.

    Args:
        config: the run.
        combination: settings of a method by name, and ``alpha``.
    """
    settings = config.settings.model_copy(update=combination | {"choose": None})
    alpha = combination.get("alpha", config.alpha)
    return config.model_copy(update={"settings": settings, "alpha": alpha})


def _table(rows: list[dict[str, Any]]) -> bytes:
    table = io.StringIO()
    writer = csv.DictWriter(table, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        lists = {name: " ".join(map(str, v)) for name, v in row.items() if isinstance(v, list)}
        writer.writerow(row | lists)
    return table.getvalue().encode()
