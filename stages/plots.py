"""Draw the figures of the study, each named after what it shows and the experiment."""

import gc
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from study.command import run
from study.figures.measured import is_swept
from study.figures.parts import (
    Figures,
    allowances,
    bottlenecks,
    boundaries,
    curves_and_draws,
    hidden_spaces,
    measured,
    spectra,
)
from study.figures.progress import wait_for_figures
from study.figures.style import method_colours, save
from study.files import whole_folder
from study.paths import FIGURES
from study.training.experiment import read_experiments

PROCESSES = 2


def main() -> None:
    """Write figures/study anew from the runs and tables of the study in params.yaml."""
    default, experiments = read_experiments()
    colours = method_colours(m for e in experiments.values() for m in e.all_methods)
    # What is imported stays: the garbage collector need not look through it figure by figure.
    drawing = ProcessPoolExecutor(PROCESSES, initializer=gc.freeze)
    with whole_folder(FIGURES) as folder, drawing as pool:
        begun: dict[Future[int], str] = {}

        def begin(draw: Callable[..., Figures], name: str, *arguments: object) -> None:
            begun[pool.submit(_save, folder, draw, name, *arguments)] = name

        for name, experiment in experiments.items():
            seeds = experiment.seeds_or(default)
            in_order = {method: colours[method] for method in experiment.all_methods}
            begin(measured, name, experiment, in_order)
            if is_swept(experiment):
                continue
            begin(boundaries, name, experiment, seeds)
            begin(curves_and_draws, name, experiment, seeds, in_order)
            begin(bottlenecks, name, experiment, seeds)
            begin(hidden_spaces, name, experiment, seeds, in_order)
            begin(spectra, name, in_order)
            begin(allowances, name, experiment, seeds, in_order)
        try:
            wait_for_figures(begun)
        finally:
            pool.shutdown(cancel_futures=True)  # after an error, the rest need not be drawn


def _save(folder: Path, draw: Callable[..., Figures], *arguments: object) -> int:
    """Save the figures of a part, and count them."""
    files = []
    for file, figure in draw(*arguments):
        save(figure, folder / f"{file}.png")
        files.append(file)
    return len(files)


if __name__ == "__main__":
    run(main, __doc__)
