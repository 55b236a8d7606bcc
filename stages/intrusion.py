"""Measure where mixed points intrude on other classes, in experiments that mix the input alone."""

from study.command import run
from study.measures.intrusion import applies, intrusion_measures
from study.measures.runs import runs_where, write_measures
from study.params import read_section
from study.training.config import MixupConfig


def main() -> None:
    alpha = read_section(MixupConfig, "mixup").alpha
    measures = {
        each.key: intrusion_measures(each.run, each.dataset, alpha) for each in runs_where(applies)
    }
    write_measures("metrics/intrusion.csv", measures)


if __name__ == "__main__":
    run(main, __doc__)
