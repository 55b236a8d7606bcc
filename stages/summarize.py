"""Sum up every run named by params.yaml: means, spreads, differences and mean curves.

``python -m stages.summarize [TABLE ...]`` takes tables in which other stages have measured runs.
"""

import argparse
import json
from collections.abc import Sequence

from study.command import run
from study.files import write_text
from study.measures.training import history_measures
from study.paths import CURVES_TABLE, MEANS_JSON, RUNS_TABLE, SUMMARY_TABLE
from study.summaries import mean_curves, nested_means, runs_table, summary_table
from study.tables import MEASURES, measures_table, read_table, write_table
from study.training.experiment import all_runs, read_experiments


def main(tables: Sequence[str]) -> None:
    keys = all_runs(*read_experiments())
    extras = [read_table(table, MEASURES) for table in tables]
    extras.append(measures_table({key: history_measures(key) for key in keys}))
    runs = runs_table(keys, extras)
    summary = summary_table(runs)
    write_table(RUNS_TABLE, runs)
    write_table(SUMMARY_TABLE, summary)
    write_table(CURVES_TABLE, mean_curves(keys))
    write_text(MEANS_JSON, json.dumps(nested_means(summary), indent=1) + "\n")


def from_command_line() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="such as metrics/flatness.csv")
    main(parser.parse_args().tables)


if __name__ == "__main__":
    run(from_command_line)
