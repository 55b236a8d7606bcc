"""Measure hidden states as features, and bottlenecks by what the paper's theorem predicts."""

from study.command import run
from study.measures.config import StatesConfig
from study.measures.features import feature_measures
from study.measures.runs import runs_where, write_measures
from study.measures.theorem import bottleneck_measures
from study.params import read_section
from study.paths import RunKey
from study.training.experiment import KnownExperiments


def main() -> None:
    states: StatesConfig = read_section(StatesConfig, "states")
    states.check_fits(read_section(KnownExperiments, "experiments"))
    measures: dict[RunKey, dict[str, float]] = {}
    for each in runs_where(states.applies):
        of_run = measures[each.key] = {}
        if states.as_features(each.key):
            of_run |= feature_measures(each.run, each.dataset, states.neighbours)
        if each.key.experiment in states.bottlenecks:
            of_run |= bottleneck_measures(each.run, each.dataset, states.pairs)
    write_measures("metrics/hidden_states.csv", measures)


if __name__ == "__main__":
    run(main, __doc__)
