"""Which experiments the study compares, and on which seeds; quick to import, without torch."""

from study.params import read_section
from study.training.experiment import ExperimentConfig, Experiments, Seeds


def read_experiments() -> tuple[list[int], dict[str, ExperimentConfig]]:
    """Read from params.yaml the seeds of the study, and the experiments of which any method is run.

    Raises:
        ParamsError: one of both is missing or cannot be used.
    """
    seeds: list[int] = read_section(Seeds, "seeds")
    experiments: dict[str, ExperimentConfig] = read_section(Experiments, "experiments")
    return seeds, experiments
