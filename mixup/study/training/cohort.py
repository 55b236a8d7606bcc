"""Train runs of one experiment together, as one stacked model.

A step of a small net is bound by the cost of calls, not by arithmetic; a cohort makes each call
once for all its runs. What a run draws (split, initial weights, batches, mixing, dropout) is what
it draws alone, but sums are taken in another order: a run of a cohort agrees with the run alone to
float32 rounding, not to the byte. Training enlarges such differences, as much as it does those of
initial weights nudged by one unit in the last place; ``benchmarks/cohort.py`` measures both.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from mixup.study.data.dataset import Dataset
from mixup.study.errors import StudyError
from mixup.study.training.config import RunConfig
from mixup.study.training.member import Member, new_members
from mixup.study.training.outcome import name_of
from mixup.study.training.recipe import (
    decay_learning_rate,
    samples,
    schedule_for,
    targets_and_criterion,
)
from mixup.study.training.stack import Stack, merge

SHARED = ("experiment", "data", "net", "training", "threads")
ALONE = {"batch_norm": False, "input_noise": 0.0, "mixes": "both", "stop_gradient": False}
"""Settings whose other values a stacked model does not know."""


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


def decay_weights(weights: Sequence[Tensor], shares: Tensor) -> None:
    """Shrink the (M, ...) weights by a share for each of the M nets, as AdamW does."""
    with torch.no_grad():
        for weight in weights:
            weight.mul_((1 - shares).view(-1, *[1] * (weight.ndim - 1)))
