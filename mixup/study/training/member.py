"""One run of a cohort: what it has to itself, and what it leaves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from mixup.mixing.plan import MixPlan
from mixup.study.data.dataset import Dataset
from mixup.study.errors import StudyError
from mixup.study.training.checkpoint import State
from mixup.study.training.config import RunConfig
from mixup.study.training.outcome import (
    final_metrics,
    history_row,
    not_finite,
    watched_points,
    write_run,
)
from mixup.study.training.run import Split, predict, split_for
from mixup.study.training.trainer import new_state


@dataclass
class Member:
    """One run of a cohort, and all that it has to itself."""

    config: RunConfig
    split: Split
    state: State
    """As of the run alone; its optimiser is not used."""
    dropout: torch.Generator
    """What torch's global generator is to the run alone."""
    recent: list[float] = field(default_factory=list)
    """The last losses before those of the state."""
    error: str | None = None
    """Why the run failed; it is computed on with the others, to no effect."""

    def draw(self) -> MixPlan:
        """Draw the plan of the next step."""
        size, mixer = self.config.training.batch_size, self.state.mixer
        return mixer.draw(size) if mixer else MixPlan.plain(size)

    def note(self, step: int, loss: float) -> None:
        """Keep the loss of a step."""
        self.state.losses.append(loss)
        if not self.error and not math.isfinite(loss):
            losses = self.recent + self.state.losses
            self.error = str(not_finite(self.config, step, losses))

    def evaluate(self, step: int, plan: MixPlan) -> None:
        """Add a row to the history, unless the run has failed."""
        if self.error:
            return
        state, predicted = self.state, partial(predict, self.state.net)
        mixed, watched = plan if state.mixer else None, watched_points(self.split)
        try:
            row = history_row(self.config, step, state.losses, watched, predicted, mixed)
        except StudyError as error:
            self.error = str(error)
        else:
            state.history.append(row)
            self.recent, state.losses = (self.recent + state.losses)[-5:], []

    def write(self, folder: Path, dataset: Dataset) -> None:
        """Write the run's folder, unless the run has failed."""
        if self.error:
            return
        net = self.state.net
        metrics = final_metrics(self.split, dataset, partial(predict, net))
        try:
            write_run(folder, self.config, net.state_dict(), self.state.history, metrics)
        except OSError as error:
            self.error = str(error)


def new_members(configs: Sequence[RunConfig], dataset: Dataset) -> list[Member]:
    """Make the runs of a cohort, each as it starts alone; runs of a seed share their split.

    Randomness: seeds torch's global generator.
    """
    of_seed = {config.seed: config for config in configs}
    splits = {seed: split_for(config, dataset) for seed, config in of_seed.items()}
    members = []
    for config in configs:
        state = new_state(config, dataset)
        dropout = torch.Generator()
        dropout.set_state(torch.get_rng_state())
        config = config.model_copy(update={"cohort": len(configs)})
        members.append(Member(config, splits[config.seed], state, dropout))
    return members
