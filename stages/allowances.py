"""Measure every run with validation data after temperature scaling and with early stopping."""

from study.command import run
from study.measures.allowances import against_baseline, allowance_measures, applies
from study.measures.runs import runs_where, write_measures
from study.paths import run_folder
from study.tables import measures_table, read_metrics, write_table


def main() -> None:
    measures = {
        each.key: allowance_measures(each.run, each.dataset) for each in runs_where(applies)
    }
    write_measures("metrics/allowances.csv", measures)
    everything = {key: read_metrics(run_folder(key)) | found for key, found in measures.items()}
    write_table("metrics/against_baseline.csv", against_baseline(measures_table(everything)))


if __name__ == "__main__":
    run(main, __doc__)
