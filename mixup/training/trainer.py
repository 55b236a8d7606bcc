"""Train one run: the whole recipe on one page, the same for every method."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from mixup.data.dataset import Dataset
from mixup.errors import StudyError
from mixup.mixing.manifold import ManifoldMixup
from mixup.models.mlp import MLP
from mixup.training.config import RunConfig
from mixup.training.outcome import final_metrics, history_row, write_run
from mixup.training.recipe import (
    decay_learning_rate,
    samples,
    schedule_for,
    targets_and_criterion,
)
from mixup.training.run import Purpose, build_net, predict, seed_sequence, seed_torch, split_for


def train_run(config: RunConfig, dataset: Dataset, folder: Path) -> None:
    """Train a run and write its folder, whole or not at all.

    Source: Verma et al. 2019, section 2, through `ManifoldMixup`; plain training is the empty
    eligible set.

    The history watches the training loss on no more points than the test set has, the first ones of
    the run's shuffled training data, so that evaluations stay cheap; metrics.json is of all points.

    Args:
        config: the run.
        dataset: the points to split, train and test on.
        folder: gets model.safetensors, history.csv, metrics.json and config.json.

    Raises:
        StudyError: the batch is larger than the training data, or the loss is not finite.

    Randomness: one generator a purpose, derived from the run's seed; see `Purpose`.
    """
    torch.set_num_threads(config.threads)
    split = split_for(config, dataset)
    net = build_net(config, dataset.inputs.shape[1], dataset.n_classes)
    schedule = schedule_for(config, len(split.train_labels))
    optimiser = torch.optim.AdamW(
        net.parameters(),
        lr=config.training.learning_rate,
        weight_decay=config.settings.weight_decay,
        fused=True,
    )
    mixer = mixer_for(net, config)
    targets, criterion = targets_and_criterion(split.train_labels, dataset.n_classes)
    batches = samples(split.train_inputs, targets, config.training.batch_size, config.seed)
    n_watched = min(len(split.train_labels), len(split.test_labels))
    watched, unwatched = split.train_inputs[:n_watched], split.train_inputs[n_watched:]
    seed_torch(config.seed, Purpose.DROPOUT)
    history, losses = [], []
    steps = range(1, schedule.n_steps + 1)
    progress = tqdm(steps, desc=name_of(config), unit="step", disable=None, leave=False)
    net.train()
    for step, (x, y) in zip(progress, batches, strict=False):
        output, plan = mixer(x) if mixer else (net(x), None)
        loss = plan.loss(criterion, output, y) if plan else criterion(output, y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise non_finite_loss(config, step, losses)
        if step in schedule.decay_at:
            decay_learning_rate(optimiser)
        if step in schedule.evaluate_at:
            train, test = predict(net, watched), predict(net, split.test_inputs)
            history.append(history_row(config, step, losses, train, test, split, plan))
            losses.clear()
            net.train()
    train = np.concatenate([train, predict(net, unwatched)])
    metrics = final_metrics(train, test, split, dataset, lambda points: predict(net, points))
    write_run(folder, config, net.state_dict(), history, metrics)


def name_of(config: RunConfig) -> str:
    """Name a run in a sentence."""
    return f"{config.experiment} {config.method} seed {config.seed}"


def mixer_for(net: MLP, config: RunConfig) -> ManifoldMixup | None:
    """Make the mixer of a run that mixes; None for plain training.

    Randomness: generators of its own, `Purpose.MIXING` of the run's seed.
    """
    if config.alpha is None:
        return None
    return ManifoldMixup(
        net,
        layers=[net.layer_name(k) for k in config.settings.eligible],
        alpha=config.alpha,
        seed=seed_sequence(config.seed, Purpose.MIXING),
    )


def non_finite_loss(config: RunConfig, step: int, losses: Sequence[float]) -> StudyError:
    """Make the error of a run whose loss after ``step`` is NaN or infinite."""
    return StudyError(
        f"loss is {losses[-1]} in {name_of(config)} at step {step}: "
        "try a smaller training.learning_rate"
    )
