"""Train runs of one experiment together, as one stacked model, to the bytes of each alone.

A step of a small net is bound by the cost of calls, not by arithmetic; a cohort makes each call
once for all its runs. See `study.training.stack`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from mixup.mixing.plan import MixPlan
from study.data.dataset import Dataset
from study.errors import StudyError
from study.training.checkpoint import Checkpoint, State
from study.training.experiment import RunConfig
from study.training.net import n_logits, predict
from study.training.recipe import Floor, Schedule, samples, schedule_for, targets_and_criterion
from study.training.record import (
    Points,
    Predict,
    final_metrics,
    history_row,
    name_of,
    not_finite,
    run_files,
    watched_points,
)
from study.training.split import Split, split_for
from study.training.stack import Stack
from study.training.stackable import SHARED, not_stackable
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


def train_cohort(
    configs: Sequence[RunConfig], dataset: Dataset, checkpoints: Sequence[Path | None]
) -> list[dict[str, bytes] | StudyError]:
    """Train runs together.

    A run that fails does not change what becomes of the others.

    Args:
        configs: the runs, without batch norm and stopped gradients; they differ in method, seed
            and alpha only.
        dataset: the points to split, train and test on.
        checkpoints: for each run, as of `train_run`. One that was made in a cohort continues
            alone or in another cohort, and the other way round.

    Returns:
        For each run what `train_run` returns, or why it failed.

    Raises:
        StudyError: the batch is larger than the training data.
        ValueError: the runs differ in something else, or cannot be stacked, or there are none.

    Randomness: as of `train_run`, generators of each run's own.
    """
    check_alike(configs)
    torch.set_num_threads(configs[0].threads)
    members = new_members(configs, dataset, checkpoints)
    schedule = schedule_for(configs[0], len(members[0].split.train_labels))
    while behind := [m for m in members if not m.error and m.state.step < schedule.n_steps]:
        # Those that checkpoints left farthest behind catch up with the next.
        steps = sorted({member.state.step for member in behind})
        until = steps[1] if len(steps) > 1 else schedule.n_steps
        slowest = [member for member in behind if member.state.step == steps[0]]
        advance(slowest, schedule, until, n_logits(configs[0], dataset))
    return [member.files(dataset) for member in members]


def advance(members: Sequence[Member], schedule: Schedule, until: int, logits: int) -> None:
    """Train runs that have taken equally many steps up to step ``until``."""
    _, criterion = targets_and_criterion(members[0].split.train_labels, logits)
    stack = Stack([member.config for member in members], [member.state for member in members])
    unmixed = MixPlan.plain(members[0].config.training.batch_size)
    steps = range(members[0].state.step + 1, until + 1)
    for step, (x, y) in zip(steps, stacked_samples(members, logits), strict=False):
        plans = [member.draw() for member in members]
        losses = stack.step(x, y, [plan or unmixed for plan in plans], criterion)
        for member, loss, plan in zip(members, losses.tolist(), plans, strict=True):
            member.note(step, loss, plan)
        for member in members:
            schedule.adjust(member.state.optimiser, step)
        if step in schedule.evaluate_at:
            for member, plan in zip(members, plans, strict=True):
                member.evaluate(plan)
        if step < schedule.n_steps and any(m.saved and m.saved.is_due for m in members):
            for member in members:
                member.save()


def stacked_samples(members: Sequence[Member], logits: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (M, N, F) inputs and (M, N, ...) targets: the next batch of every run, without end.

    Runs of a seed have the same.
    """
    of_seed = {member.config.seed: member for member in members}
    streams = []
    for seed, member in of_seed.items():
        split, size = member.split, member.config.training.batch_size
        targets, _ = targets_and_criterion(split.train_labels, logits)
        streams.append(samples(split.train_inputs, targets, size, seed, member.state.step))
    for batches in zip(*streams, strict=True):
        batch = dict(zip(of_seed, batches, strict=True))
        x, y = zip(*(batch[member.config.seed] for member in members), strict=True)
        yield torch.stack(x), torch.stack(y)


def check_alike(configs: Sequence[RunConfig]) -> None:
    """Refuse runs that cannot be trained together."""
    if not configs:
        raise ValueError("a cohort must have at least one run")
    for name in SHARED:
        if any(getattr(config, name) != getattr(configs[0], name) for config in configs):
            raise ValueError(f"the runs of a cohort must have the same {name}")
    for config in configs:
        if unknown := " and ".join(not_stackable(config)):
            raise ValueError(f"{name_of(config)} must be trained alone: its method sets {unknown}")
