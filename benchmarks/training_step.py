"""What a run costs beside its arithmetic: a real training run and a bare loop, side by side.

A bare loop is what a person would write by hand for the same net: forward, loss, backward, fused
AdamW, on batches made beforehand, and nothing else. The real run is `train_run`, all of it: set-up,
batches, history, progress, evaluations, checkpoints if due, metrics and the run's folder. The loops
take turns of a few steps, so that whatever else the machine does falls on all of them. Processor
time is counted, on one torch thread. A second bare loop shows what a ratio is worth here.

    python -m benchmarks.training_step [EXPERIMENT ...] [--csv FILE]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import torch
from tqdm import tqdm

from study.data.dataset import Dataset, load_dataset
from study.paths import RunKey
from study.training import trainer
from study.training.experiment import RunConfig, read_run_config
from study.training.net import build_net, n_logits
from study.training.recipe import samples, schedule_for, targets_and_criterion
from study.training.split import split_for

EXPERIMENTS = {"spirals": 100, "mnist_2d": 10, "mnist_12d": 10}  # steps of a turn
METHODS = ("baseline", "manifold")

LINE = (
    "{experiment}: a bare step takes {bare_ms:.3f} ms, a real run {baseline_ratio:.3f} times that, "
    "with manifold mixup {manifold_ratio:.3f} (two bare twins: {twin_ratio:.3f})"
)

Pauses = Callable[[Iterable[int]], Iterable[int]]
Loop = Callable[[Pauses], None]


def bare_loop(config: RunConfig, dataset: Dataset) -> Loop:
    split = split_for(config, dataset)
    n_train = len(split.train_labels)
    targets, criterion = targets_and_criterion(split.train_labels, n_logits(config, dataset))
    batch_size = config.training.batch_size
    batches = samples(split.train_inputs, targets, batch_size, config.seed)
    prepared = [(x.clone(), y.clone()) for x, y in islice(batches, 40)]
    net = build_net(config, dataset)
    optimiser = torch.optim.AdamW(
        net.parameters(), lr=config.training.learning_rate, weight_decay=0, fused=True
    )
    n_steps = schedule_for(config, n_train).n_steps

    def loop(pauses: Pauses) -> None:
        torch.set_num_threads(config.threads)  # counts for one thread of Python only
        for _, (x, y) in zip(pauses(range(n_steps)), cycle(prepared), strict=False):
            loss = criterion(net(x), y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return loop


def real_loop(config: RunConfig, dataset: Dataset) -> Loop:
    def loop(_: Pauses) -> None:
        with tempfile.TemporaryDirectory() as folder:
            trainer.train_run(config, dataset, Path(folder, "checkpoint"))

    return loop


def progress_with_pauses(steps: Iterable[int], **options: Any) -> Iterator[int]:
    """Show progress as a terminal would have it, and pause between turns."""
    turns = threading.current_thread()
    assert isinstance(turns, Turns)
    with open(os.devnull, "w") as terminal:
        yield from turns.pauses(tqdm(steps, **options | {"disable": False, "file": terminal}))


class Turns(threading.Thread):
    """A loop in a thread of its own that runs a few steps whenever it is its turn."""

    def __init__(self, loop: Loop, steps: int) -> None:
        super().__init__(daemon=True)
        self.seconds, self.n_steps, self.over = 0.0, 0, False
        self._loop, self._steps = loop, steps
        self._go, self._paused = threading.Semaphore(0), threading.Semaphore(0)
        self.start()

    def take(self) -> None:
        self._go.release()
        self._paused.acquire()

    def run(self) -> None:
        self._go.acquire()
        try:
            self._loop(self.pauses)
        finally:
            self.seconds, self.over = time.thread_time(), True
            self._paused.release()

    def pauses(self, steps: Iterable[int]) -> Iterator[int]:
        for step in steps:
            if self.n_steps and self.n_steps % self._steps == 0:
                self._paused.release()
                self._go.acquire()
            self.n_steps += 1
            yield step


def measure(experiment: str) -> dict[str, float | str]:
    configs = {method: read_run_config(RunKey(experiment, method, 0)) for method in METHODS}
    dataset = load_dataset(Path("data") / f"{configs['baseline'].data}.npz")
    loops = {name: bare_loop(configs["baseline"], dataset) for name in ("bare", "twin")}
    loops |= {method: real_loop(config, dataset) for method, config in configs.items()}
    turns = {name: Turns(loop, EXPERIMENTS[experiment]) for name, loop in loops.items()}
    order = deque(turns.values())
    while not all(loop.over for loop in order):
        for loop in order:
            if not loop.over:
                loop.take()
        order.rotate()
    bare = turns.pop("bare")
    return {
        "experiment": experiment,
        "bare_ms": bare.seconds / bare.n_steps * 1e3,
        **{f"{name}_ratio": loop.seconds / bare.seconds for name, loop in turns.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment", nargs="*", default=[*EXPERIMENTS])
    parser.add_argument("--csv", type=Path, help="also write the table there")
    arguments = parser.parse_args()
    rows = []
    with patch.object(trainer, "tqdm", progress_with_pauses):
        for experiment in arguments.experiment:
            rows.append(measure(experiment))
            print(LINE.format(**rows[-1]), flush=True)
    if arguments.csv:
        pd.DataFrame(rows).to_csv(arguments.csv, index=False)


if __name__ == "__main__":
    main()
