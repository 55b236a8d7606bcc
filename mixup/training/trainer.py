"""Train one run: the whole recipe on one page, the same for every method."""

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from mixup.data.dataset import Dataset
from mixup.errors import StudyError
from mixup.files import whole_folder
from mixup.mixing.manifold import ManifoldMixup
from mixup.mixing.plan import MixPlan
from mixup.models.mlp import MLP
from mixup.training import scores
from mixup.training.config import RunConfig
from mixup.training.run import (
    Purpose,
    Split,
    build_net,
    predict,
    seed_sequence,
    seed_torch,
    split_for,
)

HISTORY_COLUMNS = (
    "step",
    "loss",
    "train_loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "k",
    "lam",
)


def train_run(config: RunConfig, dataset: Dataset, folder: Path) -> None:
    """Train a run and write its folder, whole or not at all.

    Source: Verma et al. 2019, section 2, through `ManifoldMixup`; plain training is the empty
    eligible set.

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
    history = _fit(net, split, config)
    metrics = _evaluate(net, split, dataset)
    with whole_folder(folder) as temporary:
        save_file(net.state_dict(), temporary / "model.safetensors")
        with (temporary / "history.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, HISTORY_COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(history)
        _write_json(temporary / "metrics.json", metrics)
        _write_json(temporary / "config.json", config.model_dump())


def _fit(net: MLP, split: Split, config: RunConfig) -> list[dict[str, Any]]:
    recipe, n_train = config.training, len(split.train_labels)
    if recipe.batch_size > n_train:
        raise StudyError(
            f"experiments.{config.experiment}.training.batch_size = {recipe.batch_size} is larger "
            f"than the {n_train} training points"
        )
    epoch = n_train // recipe.batch_size
    unit = 1 if recipe.steps else epoch
    n_steps = (recipe.steps or recipe.epochs or 0) * unit
    optimiser = torch.optim.AdamW(
        net.parameters(),
        lr=recipe.learning_rate,
        weight_decay=config.settings.weight_decay,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.MultiStepLR(
        optimiser, [at * unit for at in recipe.decay_at]
    )
    mixer = _mixer(net, config)
    targets, criterion = _targets_and_criterion(net, split.train_labels)
    evaluate_at = {
        round(n_steps * i / recipe.evaluations) for i in range(1, recipe.evaluations + 1)
    }
    seed_torch(config.seed, Purpose.DROPOUT)
    history: list[dict[str, Any]] = []
    losses: list[float] = []
    batches = _batches(n_train, recipe.batch_size, config.seed)
    name = f"{config.experiment} {config.method} seed {config.seed}"
    net.train()
    for step in tqdm(range(1, n_steps + 1), desc=name, unit="step", disable=None, leave=False):
        batch = next(batches)
        x, y = split.train_inputs[batch], targets[batch]
        output, plan = mixer(x) if mixer else (net(x), None)
        loss = plan.loss(criterion, output, y) if plan else criterion(output, y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise StudyError(
                f"loss is {losses[-1]} in {name} at step {step}: "
                "try a smaller training.learning_rate"
            )
        if step in evaluate_at:
            history.append(_history_row(step, losses, net, split, plan, config))
            losses.clear()
            net.train()
    return history


def _mixer(net: MLP, config: RunConfig) -> ManifoldMixup | None:
    if config.alpha is None:
        return None
    return ManifoldMixup(
        net,
        layers=[net.layer_name(k) for k in config.settings.eligible],
        alpha=config.alpha,
        seed=seed_sequence(config.seed, Purpose.MIXING),
    )


def _targets_and_criterion(net: MLP, labels: Tensor) -> tuple[Tensor, Any]:
    if net.classifier.out_features == 1:
        return labels.float().unsqueeze(1), F.binary_cross_entropy_with_logits
    return labels, F.cross_entropy


def _batches(n_train: int, batch_size: int, seed: int) -> Iterator[Tensor]:
    rng = np.random.default_rng(seed_sequence(seed, Purpose.BATCHES))
    while True:
        order = torch.from_numpy(rng.permutation(n_train))
        for start in range(0, n_train - batch_size + 1, batch_size):
            yield order[start : start + batch_size]


def _history_row(
    step: int,
    losses: list[float],
    net: MLP,
    split: Split,
    plan: MixPlan | None,
    config: RunConfig,
) -> dict[str, Any]:
    row: dict[str, Any] = {"step": step, "loss": sum(losses) / len(losses)}
    for part, inputs, labels in (
        ("train", split.train_inputs, split.train_labels),
        ("test", split.test_inputs, split.test_labels),
    ):
        p = predict(net, inputs)
        row[f"{part}_loss"] = scores.nll(p, labels.numpy())
        row[f"{part}_accuracy"] = scores.accuracy(p, labels.numpy())
    if plan:
        names = {net.layer_name(k): k for k in config.settings.eligible}
        row |= {"k": names[str(plan.layer)], "lam": plan.lam}
    return row


def _evaluate(net: MLP, split: Split, dataset: Dataset) -> dict[str, float]:
    labels = split.test_labels.numpy()
    test = predict(net, split.test_inputs)
    train = predict(net, split.train_inputs)
    metrics = {
        "test_accuracy": scores.accuracy(test, labels),
        "test_nll": scores.nll(test, labels),
        "test_ece": scores.ece(test, labels),
        "test_brier": scores.brier(test, labels),
        "train_accuracy": scores.accuracy(train, split.train_labels.numpy()),
        "train_nll": scores.nll(train, split.train_labels.numpy()),
    }
    if dataset.inputs.shape[1] == 2 and dataset.n_classes == 2:
        metrics["low_confidence_area"] = scores.low_confidence_area(
            lambda grid: predict(net, torch.from_numpy(grid)), dataset.inputs
        )
    return metrics


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
