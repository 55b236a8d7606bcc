"""Attack trained nets and deform their test images; tabulate the accuracy that is left."""

from study.command import run
from study.measures.config import RobustnessConfig
from study.measures.deformations import deformation_measures
from study.measures.robustness import attack_measures
from study.measures.runs import runs_where, write_measures
from study.params import read_section
from study.tables import BASELINE
from study.training.experiment import KnownExperiments


def main() -> None:
    config: RobustnessConfig = read_section(RobustnessConfig, "robustness")
    config.check_fits(read_section(KnownExperiments, "experiments"))
    measures = {
        each.key: attack_measures(each.run, each.beside(BASELINE), each.dataset, config.attacks)
        | deformation_measures(each.run, each.dataset, config.deformations)
        for each in runs_where(config.applies)
    }
    write_measures("metrics/robustness.csv", measures)


if __name__ == "__main__":
    run(main, __doc__)
