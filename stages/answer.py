"""Answer the questions of a study of one's own in sentences, and tabulate what runs chose."""

import json
from pathlib import Path
from typing import Any

from study.command import run
from study.errors import FileError
from study.files import write_text
from study.inference.ledger import read_ledger
from study.params import read_section
from study.paths import ANSWER
from study.report.answer import about_choices, about_data, about_steps, answer
from study.summaries import choices_table
from study.tables import read_histories, write_table
from study.training.config import MixupConfig
from study.training.experiment import all_runs, read_experiments

DESCRIPTION = Path("data/own.json")


def main() -> None:
    """Write metrics/answer.txt, a paragraph a line, and metrics/choices.csv."""
    seeds, experiments = read_experiments()
    ledger = read_ledger()
    choices = choices_table(all_runs(seeds, experiments))
    alpha = read_section(MixupConfig, "mixup").alpha
    lines = []
    for name, experiment in experiments.items():
        keys = all_runs(seeds, {name: experiment})
        histories = read_histories(keys, ["step", "validation_loss"])
        lines += [
            *([f"Experiment {name}."] if len(experiments) > 1 else []),
            *answer(name, experiment, ledger, alpha),
            *about_choices(choices[choices["experiment"] == name], experiment),
            about_steps(histories),
        ]
    lines.append(about_data(read_description()))
    write_table("metrics/choices.csv", choices)
    write_text(ANSWER, "\n".join(filter(None, lines)) + "\n")
    print(*filter(None, lines), sep="\n")


def read_description() -> dict[str, Any]:
    """Read what the stage read_data wrote of the data."""
    try:
        content: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileError(DESCRIPTION) from error
    except ValueError as error:
        raise FileError(DESCRIPTION, error) from error
    return content


if __name__ == "__main__":
    run(main, __doc__)
