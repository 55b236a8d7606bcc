"""Attack trained nets and deform their test images; tabulate the accuracy that is left."""

from pathlib import Path

from mixup.study.command import run
from mixup.study.data.dataset import load_dataset
from mixup.study.measures.robustness import attack_measures, deformation_measures
from mixup.study.measures.robustness_config import RobustnessConfig
from mixup.study.params import read_section
from mixup.study.tables import BASELINE, measures_table, write_table
from mixup.study.training.config import ExperimentConfig, KnownExperiments, RunKey, Seeds, all_runs
from mixup.study.training.run import load_run, run_folder


def main() -> None:
    config: RobustnessConfig = read_section(RobustnessConfig, "robustness")
    seeds: list[int] = read_section(Seeds, "seeds")
    experiments: dict[str, ExperimentConfig] = read_section(KnownExperiments, "experiments")
    measures: dict[RunKey, dict[str, float]] = {}
    for name, experiment in config.chosen(experiments).items():
        dataset = load_dataset(Path("data") / f"{experiment.data}.npz")
        for key in all_runs(seeds, {name: experiment}):
            trained, baseline = load_run(run_folder(key)), None
            if BASELINE in experiment.all_methods:
                baseline = load_run(run_folder(key._replace(method=BASELINE)))
            measures[key] = {
                **attack_measures(trained, baseline, dataset, config.attacks),
                **deformation_measures(trained, dataset, config.deformations),
            }
    write_table("metrics/robustness.csv", measures_table(measures))


if __name__ == "__main__":
    run(main, __doc__)
