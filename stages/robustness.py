"""Attack the trained nets and deform their test images; tabulate the accuracy that is left."""

from pathlib import Path

from mixup.analysis.robustness import RobustnessConfig, robustness_measures
from mixup.analysis.tables import BASELINE, measures_table, write_table
from mixup.data.dataset import load_dataset
from mixup.params import ParamsError, did_you_mean, read_section
from mixup.training.config import ExperimentConfig, Name, RunKey, Seeds, all_runs
from mixup.training.run import load_run, run_folder
from stages.command import run


def main() -> None:
    config: RobustnessConfig = read_section(RobustnessConfig, "robustness")
    seeds: list[int] = read_section(Seeds, "seeds")
    experiments: dict[str, ExperimentConfig] = read_section(
        dict[Name, ExperimentConfig], "experiments"
    )
    for name in config.experiments:
        if name not in experiments:
            nearest = did_you_mean(name, experiments)
            raise ParamsError(f"robustness.experiments names {name}, not an experiment{nearest}")
    measures: dict[RunKey, dict[str, float]] = {}
    for name in config.experiments:
        experiment = experiments[name]
        dataset = load_dataset(Path("data") / f"{experiment.data}.npz")
        for key in all_runs(seeds, {name: experiment}):
            baseline = (
                load_run(run_folder(key._replace(method=BASELINE)))
                if BASELINE in experiment.all_methods
                else None
            )
            trained = load_run(run_folder(key))
            measures[key] = robustness_measures(trained, baseline, dataset, config)
    write_table("metrics/robustness.csv", measures_table(measures))


if __name__ == "__main__":
    run(main, __doc__)
