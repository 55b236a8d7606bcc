"""Measure how nets lay out two classes in a plane: boundaries, states of two-unit bottlenecks."""

from study.command import run
from study.measures.hidden_plane import applies, hidden_measures
from study.measures.runs import runs_where, write_measures


def main() -> None:
    runs = runs_where(applies, lambda dataset: dataset.in_a_plane)
    measures = {each.key: hidden_measures(each.run, each.dataset) for each in runs}
    write_measures("metrics/hidden_space.csv", measures)


if __name__ == "__main__":
    run(main, __doc__)
