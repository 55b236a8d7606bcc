"""Train runs of one experiment together, as one stacked model.

A step of a small net is bound by the cost of calls, not by arithmetic; a cohort makes each call
once for all its runs. What a run draws (split, initial weights, batches, mixing, dropout) is what
it draws alone, but sums are taken in another order: a run of a cohort agrees with the run alone to
float32 rounding, not to the byte. Training enlarges such differences, as much as it does those of
initial weights nudged by one unit in the last place; ``benchmarks/cohort.py`` measures both.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from mixup.data.dataset import Dataset
from mixup.errors import StudyError
from mixup.mixing.formula import mix
from mixup.mixing.plan import MixPlan
from mixup.models.mlp import MLP
from mixup.training.checkpoint import State
from mixup.training.config import RunConfig
from mixup.training.outcome import (
    final_metrics,
    history_row,
    name_of,
    not_finite,
    watched_points,
    write_run,
)
from mixup.training.recipe import decay_learning_rate, samples, schedule_for, targets_and_criterion
from mixup.training.run import Split, predict, split_for
from mixup.training.trainer import new_state

SHARED = ("experiment", "data", "net", "training", "threads")
ALONE = {"batch_norm": False, "input_noise": 0.0, "mixes": "both", "stop_gradient": False}
"""Settings whose other values a stacked model does not know."""


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


class Stack:
    """The nets of M members as one, whose weights are theirs: changing one changes the other.

    Args:
        members: runs with nets of one shape.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members
        net = members[0].config.net
        self._slope = net.negative_slope
        self._narrow = net.bottleneck.layer if net.bottleneck else None
        self.weights: list[Tensor] = []
        """(M, ...): weight and bias of every layer, in the order of the net."""
        for own in zip(*(member.state.net.parameters() for member in members), strict=True):
            weight = torch.stack([parameter.detach() for parameter in own])
            for parameter, part in zip(own, weight, strict=True):
                parameter.data = part
            self.weights.append(weight.requires_grad_())

    def __call__(self, x: Tensor, plans: Sequence[MixPlan], perm: Tensor) -> Tensor:
        """Run the nets in training mode.

        Args:
            x: (M, N, F) inputs.
            plans: what each net mixes.
            perm: (M * N,) the partners, as of `merge`.

        Returns:
            (M, N, C) logits.

        Randomness: the members' generators for dropout.
        """
        *hidden, classifier = zip(self.weights[::2], self.weights[1::2], strict=True)
        state = self._mix(x, 0, plans, perm)
        for k, (weight, bias) in enumerate(hidden, start=1):
            state = torch.baddbmm(bias.unsqueeze(1), state, weight.mT)
            state = F.leaky_relu(state, self._slope)
            if k != self._narrow:
                state = self._drop(state)
            state = self._mix(state, k, plans, perm)
        weight, bias = classifier
        return torch.baddbmm(bias.unsqueeze(1), state, weight.mT)

    def _drop(self, state: Tensor) -> Tensor:
        if not any(member.config.settings.dropout for member in self._members):
            return state
        scale = torch.ones_like(state)
        for own, member in zip(scale, self._members, strict=True):
            if p := member.config.settings.dropout:
                own.bernoulli_(1 - p, generator=member.dropout).div_(1 - p)
        return state * scale

    def _mix(self, state: Tensor, k: int, plans: Sequence[MixPlan], perm: Tensor) -> Tensor:
        name = MLP.layer_name(k)
        if not any(plan.layer == name for plan in plans):
            return state
        lam = [plan.lam if plan.layer == name else 1.0 for plan in plans]
        mixed: Tensor = mix(state.flatten(0, 1), per_sample(lam, state.shape[1]), perm)
        return mixed.view_as(state)


def train_cohort(
    configs: Sequence[RunConfig], dataset: Dataset, folders: Sequence[Path]
) -> list[str | None]:
    """Train runs together and write the folder of each, whole or not at all.

    A run that fails does not change what becomes of the others.

    Args:
        configs: the runs; they differ in method, seed and alpha only.
        dataset: the points to split, train and test on.
        folders: one for each run, as of `train_run`; config.json has the cohort's size.

    Returns:
        For each run None, or why it failed and has no folder.

    Raises:
        StudyError: the batch is larger than the training data; a run has a setting that a stacked
            model does not know.
        ValueError: the runs differ in something else, or there are none.

    Randomness: as of `train_run`, generators of each run's own.
    """
    check_alike(configs, folders)
    first = configs[0]
    torch.set_num_threads(first.threads)
    members = new_members(configs, dataset)
    labels = members[0].split.train_labels
    schedule = schedule_for(first, len(labels))
    _, criterion = targets_and_criterion(labels, dataset.n_classes)
    stack = Stack(members)
    learning_rate = first.training.learning_rate
    optimiser = torch.optim.AdamW(stack.weights, lr=learning_rate, weight_decay=0, fused=True)
    weight_decay = torch.tensor([config.settings.weight_decay for config in configs])
    batches = stacked_samples(members, dataset.n_classes)
    for step, (x, y) in zip(range(1, schedule.n_steps + 1), batches, strict=False):
        plans = [member.draw() for member in members]
        merged = merge(plans)
        output = stack(x, plans, merged.perm).flatten(0, 1)
        loss = merged.loss(criterion, output, y.flatten(0, 1), reduction="none")
        losses = loss.view(len(members), -1).mean(1)
        optimiser.zero_grad()
        torch.autograd.backward(losses.sum())
        decay_weights(stack.weights, optimiser.param_groups[0]["lr"] * weight_decay)
        optimiser.step()
        for member, its_loss in zip(members, losses.tolist(), strict=True):
            member.note(step, its_loss)
        if step in schedule.decay_at:
            decay_learning_rate(optimiser)
        if step in schedule.evaluate_at:
            for member, plan in zip(members, plans, strict=True):
                member.evaluate(step, plan)
    for member, folder in zip(members, folders, strict=True):
        member.write(folder, dataset)
    return [member.error for member in members]


def stacked_samples(members: Sequence[Member], n_classes: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (M, N, F) inputs and (M, N, ...) targets: the next batch of every run, without end."""
    streams = []
    for member in members:
        recipe, split = member.config.training, member.split
        targets, _ = targets_and_criterion(split.train_labels, n_classes)
        streams.append(samples(split.train_inputs, targets, recipe.batch_size, member.config.seed))
    for batches in zip(*streams, strict=True):
        x, y = zip(*batches, strict=True)
        yield torch.stack(x), torch.stack(y)


def check_alike(configs: Sequence[RunConfig], folders: Sequence[Path]) -> None:
    """Refuse runs that cannot be trained together."""
    if not configs or len(configs) != len(folders):
        raise ValueError(f"{len(configs)} runs and {len(folders)} folders: give one for each")
    for name in SHARED:
        if any(getattr(config, name) != getattr(configs[0], name) for config in configs):
            raise ValueError(f"the runs of a cohort must have the same {name}")
    for config in configs:
        for name, known in ALONE.items():
            if getattr(config.settings, name) != known:
                raise StudyError(
                    f"{name_of(config)} cannot be trained in a cohort: its method sets {name}"
                )


def merge(plans: Sequence[MixPlan]) -> MixPlan:
    """Make one plan of M, for M * N samples one run after another; partners stay in their run."""
    size = len(plans[0].perm)
    starts = size * torch.arange(len(plans)).unsqueeze(1)
    perm = (torch.stack([plan.perm for plan in plans]) + starts).flatten()
    return MixPlan("some", per_sample([plan.lam for plan in plans], size), perm)


def per_sample(lam: Sequence[float | Tensor], size: int) -> Tensor:
    """Repeat the (M,) lam of each run for its samples: (M * N,) float32."""
    return torch.tensor(lam).repeat_interleave(size)


def decay_weights(weights: Sequence[Tensor], shares: Tensor) -> None:
    """Shrink the (M, ...) weights by a share for each of the M nets, as AdamW does."""
    with torch.no_grad():
        for weight in weights:
            weight.mul_((1 - shares).view(-1, *[1] * (weight.ndim - 1)))
