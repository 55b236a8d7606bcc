"""One run of a cohort: what it has to itself, and what it leaves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mixup.mixing.plan import MixPlan
from study.data.dataset import Dataset
from study.errors import StudyError
from study.training.checkpoint import Checkpoint, State
from study.training.floor import Floor
from study.training.net import predict
from study.training.outcome import (
    Points,
    Predict,
    final_metrics,
    history_row,
    not_finite,
    run_files,
    watched_points,
)
from study.training.run_config import RunConfig
from study.training.split import Split, split_for
from study.training.trainer import first_state


@dataclass
class Member:
    """One run of a cohort, and all that it has to itself."""

    config: RunConfig
    split: Split
    watched: Points
    state: State
    """As of the run alone, with a generator of its own in place of torch's global one."""
    saved: Checkpoint | None
    floor: Floor
    predict: Predict
    recent: list[float] = field(default_factory=list)
    """The last losses before those of the state."""
    error: StudyError | None = None
    """Why the run failed; it is computed on with the others, to no effect."""

    def draw(self) -> MixPlan | None:
        """Draw the plan of the next step; None for a run that does not mix."""
        mixer = self.state.mixer
        return mixer.draw(self.config.training.batch_size) if mixer else None

    def note(self, step: int, loss: float, plan: MixPlan | None) -> None:
        """Keep what a step showed."""
        state = self.state
        state.step = step
        state.losses.append(loss)
        state.floors.append(self.floor(plan))
        if not self.error and not math.isfinite(loss):
            self.error = not_finite(self.config, step, self.recent + state.losses)

    def evaluate(self, plan: MixPlan | None) -> None:
        """Add a row to the history, unless the run has failed."""
        if self.error:
            return
        state, points = self.state, self.watched
        try:
            row = history_row(
                self.config, state.step, state.losses, state.floors, points, self.predict, plan
            )
        except StudyError as error:
            self.error = error
        else:
            state.history.append(row)
            self.recent, state.losses, state.floors = (self.recent + state.losses)[-5:], [], []

    def save(self) -> None:
        """Write the run's checkpoint, if it has one, unless it has failed."""
        if self.saved and not self.error:
            self.saved.save(self.state)

    def files(self, dataset: Dataset) -> dict[str, bytes] | StudyError:
        """Make the files of the run, or tell why there are none."""
        if self.error:
            return self.error
        metrics = final_metrics(self.split, dataset, self.predict)
        weights = self.state.net.state_dict()
        return run_files(self.config, weights, self.state.history, metrics)


def new_members(
    configs: Sequence[RunConfig], dataset: Dataset, checkpoints: Sequence[Path | None]
) -> list[Member]:
    """Make the runs of a cohort, each as it starts alone; runs of a seed share their split.

    Randomness: seeds torch's global generator.
    """
    of_seed = {config.seed: config for config in configs}
    splits = {seed: split_for(config, dataset) for seed, config in of_seed.items()}
    members = []
    for config, checkpoint in zip(configs, checkpoints, strict=True):
        split = splits[config.seed]
        saved = Checkpoint(checkpoint, config, dataset) if checkpoint else None
        state = first_state(config, dataset, saved)
        state.generator = state.generator.clone_state()
        floor = Floor(split.train_labels, config.training.batch_size)
        predicted = partial(predict, state.net, multi_label=dataset.multi_label)
        watched = watched_points(split)
        members.append(Member(config, split, watched, state, saved, floor, predicted))
    return members
