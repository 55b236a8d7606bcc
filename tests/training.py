"""The runs of small studies, really trained."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages import summarize
from study.data.dataset import Dataset, save_dataset
from study.params import check
from study.paths import run_folder
from study.training.experiment import ExperimentConfig, RunConfig, all_runs, read_run_config
from study.training.record import write_run
from study.training.trainer import train_run


def sum_up() -> None:
    """Run the stage summarize on the measures of bottlenecks."""
    summarize.main(["metrics/embedding.csv", "metrics/flatness.csv"])


def experiment(
    data: str, methods: Mapping[str, Any], net: Mapping[str, Any], **recipe: Any
) -> dict[str, Any]:
    """Give an experiment of params.yaml, short; methods with eligible layers mix."""
    usual = {"test_fraction": 0.5, "batch_size": 8, "steps": 4, "learning_rate": 0.01}
    return {
        "data": data,
        "net": net,
        "training": usual | {"evaluations": 2} | recipe,
        "plain": [name for name, settings in methods.items() if "eligible" not in settings],
        "mixing": [name for name, settings in methods.items() if "eligible" in settings],
        "methods": methods,
    }


def with_bottleneck(size: int | None, own: int | None = None, **recipe: Any) -> ExperimentConfig:
    """Give an experiment of one method, whose net has a bottleneck of so many units, or none.

    Args:
        size: of the experiment's bottleneck.
        own: of the method's, where it is another.
    """
    net = {"width": 4, "depth": 2, "negative_slope": 0.3}
    narrow = {"bottleneck": {"layer": 1, "size": size}} if size else {}
    methods = {"baseline": {"bottleneck": own} if own else {}}
    found = experiment("blobs", methods, net | narrow, **recipe)
    return ExperimentConfig.model_validate(found)


def run_config(
    method: str, settings: Mapping[str, Any], seed: int, net: object, training: object
) -> RunConfig:
    """Give a run; one that mixes has the alpha 2 unless its settings have another."""
    return RunConfig.model_validate(
        {
            "experiment": "test",
            "method": method,
            "seed": seed,
            "data": "test",
            "net": net,
            "training": training,
            "settings": settings,
            "alpha": settings.get("alpha", 2.0) if settings.get("eligible") else None,
            "threads": 1,
        }
    )


def train_all(
    experiments: Mapping[str, Any],
    datasets: Mapping[str, Dataset],
    seeds: Sequence[int],
    folder: Path = Path(),
) -> None:
    """Write data sets, and train experiments as the params.yaml of the folder has them.

    Args:
        experiments: those to train, which may be fewer or have fewer methods than params.yaml.
        datasets: by name; all are written.
        seeds: of experiments without seeds of their own.
        folder: gets data/ and runs/.
    """
    for name, dataset in datasets.items():
        save_dataset(folder / f"data/{name}.npz", dataset)
    for key in all_runs(list(seeds), check(dict[str, ExperimentConfig], experiments)):
        config = read_run_config(key, folder / "params.yaml")
        write_run(run_folder(key, folder / "runs"), train_run(config, datasets[config.data]))
