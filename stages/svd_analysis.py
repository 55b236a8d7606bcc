"""Tabulate the singular values of the states of every net with a bottleneck of over two units."""

import pandas as pd

from study.command import run
from study.measures.bottleneck import bottleneck_states
from study.measures.runs import runs_where, write_measures
from study.measures.spectra import applies, flatness, flatness_of_all, spectra_table
from study.paths import SPECTRA_TABLE, RunKey
from study.tables import SPECTRA, write_table


def main() -> None:
    measures: dict[RunKey, dict[str, float]] = {}
    tables = [pd.DataFrame(columns=pd.Index(SPECTRA))]
    for each in runs_where(applies):
        states = bottleneck_states(each.run, each.dataset)
        spectra = spectra_table(states)
        measures[each.key] = flatness(spectra) | flatness_of_all(states)
        tables.append(spectra.assign(**each.key._asdict())[SPECTRA])
    write_table(SPECTRA_TABLE, pd.concat(tables[1:] or tables))
    write_measures("metrics/flatness.csv", measures)


if __name__ == "__main__":
    run(main, __doc__)
