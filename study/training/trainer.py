"""Train one run: the whole recipe on one page, the same for every method; choices come first."""

import json
import math
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from mixup.mixing.manifold import ManifoldMixup
from study.data.dataset import Dataset
from study.files import SUMS, sums
from study.paths import CHOICE, METRICS_FILE
from study.seeds import Purpose, seed_sequence
from study.training.checkpoint import Checkpoint, State
from study.training.experiment import RunConfig
from study.training.net import build_net, layer_names, n_logits, predict, seed_torch
from study.training.own_functions import augmentation_for
from study.training.recipe import (
    Floor,
    make_optimiser,
    samples,
    schedule_for,
    targets_and_criterion,
)
from study.training.record import (
    csv_bytes,
    final_metrics,
    history_row,
    name_of,
    not_finite,
    run_files,
    watched_points,
)
from study.training.split import split_for


def train_run(
    config: RunConfig,
    dataset: Dataset,
    checkpoint: Path | None = None,
    *,
    show_progress: bool = True,
) -> dict[str, bytes]:
    """Train a run.

    Source: Verma et al. 2019, section 2, through `ManifoldMixup`; plain training is the empty
    eligible set.

    Args:
        config: the run.
        dataset: the points to split, train and test on.
        checkpoint: a file to continue from, if it is there, and to write now and then. The run's
            bytes do not depend on it. Who has stored the run removes it; see `Checkpoint`.
        show_progress: with a bar, where there is a terminal.

    Returns:
        The files of the run's folder, by name; see `run_files`.

    Raises:
        StudyError: the batch is larger than the training data, or the loss is not finite.

    Randomness: one generator a purpose, derived from the run's seed; see `Purpose`.
    """
    torch.set_num_threads(config.threads)
    split = split_for(config, dataset)
    schedule = schedule_for(config, len(split.train_labels))
    saved = Checkpoint(checkpoint, config, dataset) if checkpoint else None
    state = first_state(config, dataset, saved)
    net, optimiser, mixer = state.net, state.optimiser, state.mixer
    logits = n_logits(config, dataset)
    targets, criterion = targets_and_criterion(split.train_labels, logits)
    floor = Floor(split.train_labels.cpu(), config.training.batch_size)
    batches = samples(
        split.train_inputs, targets, config.training.batch_size, config.seed, state.step
    )
    augment = augmentation_for(config, split.train_inputs.shape[1:])
    watched = watched_points(split)
    predicted = partial(predict, net, multi_label=dataset.multi_label)
    recent: list[float] = []
    steps = range(state.step + 1, schedule.n_steps + 1)
    net.train()
    for state.step, (x, y) in zip(_progress(steps, config, show_progress), batches, strict=False):
        x = augment(x, state.step) if augment else x
        output, plan = mixer(x) if mixer else (net(x), None)
        loss = plan.loss(criterion, output, y) if plan else criterion(output, y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        state.losses.append(loss.item())
        state.floors.append(floor(plan))
        if not math.isfinite(state.losses[-1]):
            raise not_finite(config, state.step, recent + state.losses)
        schedule.adjust(optimiser, state.step)
        if state.step in schedule.evaluate_at:
            row = history_row(
                config, state.step, state.losses, state.floors, watched, predicted, plan
            )
            state.history.append(row)
            recent, state.losses, state.floors = (recent + state.losses)[-5:], [], []
            if config.settings.early_stopping:
                state.keep_best()
            net.train()
        if saved and saved.is_due and state.step < schedule.n_steps:
            saved.save(state)
    if state.best:
        net.load_state_dict(state.best)
    metrics = final_metrics(split, dataset, predicted)
    return run_files(config, net.state_dict(), state.history, metrics)


def _progress(steps: range, config: RunConfig, show: bool) -> Iterable[int]:
    return tqdm(
        steps,
        initial=steps.start - 1,
        total=steps.stop - 1,
        desc=name_of(config),
        unit="step",
        disable=None if show else True,
        leave=False,
    )


def first_state(config: RunConfig, dataset: Dataset, saved: Checkpoint | None) -> State:
    """Make the state that a run starts from: as its checkpoint has it, or new.

    Randomness: seeds torch's global generator, or sets it as the checkpoint has it.
    """
    state = new_state(config, dataset)
    if saved and not saved.load(state):
        state = new_state(config, dataset)
    return state


def new_state(config: RunConfig, dataset: Dataset) -> State:
    """Make the net, optimiser and mixer of a run, as its seed decides.

    Randomness: seeds torch's global generator, for the initial weights and then for dropout; the
    mixer has generators of its own, `Purpose.MIXING` of the run's seed.
    """
    net = build_net(config, dataset).to(config.device)
    mixer = None
    if config.alpha is not None:
        mixer = ManifoldMixup(
            net,
            layers=layer_names(config.settings.eligible),
            alpha=config.alpha,
            seed=seed_sequence(config.seed, Purpose.MIXING),
            mixes=config.settings.mixes,
            stop_gradient=config.settings.stop_gradient,
        )
    seed_torch(config.seed, Purpose.DROPOUT)
    state = State(net, make_optimiser(config, net), mixer)
    if config.device == "cuda":
        state.generator = torch.cuda.default_generators[torch.cuda.current_device()]
    return state


def train(
    config: RunConfig,
    dataset: Dataset,
    checkpoint: Path | None = None,
    *,
    show_progress: bool = True,
) -> dict[str, bytes]:
    """Train a run, and before that choose what its method leaves open.

    A run that chooses trains once with each combination of ``settings.choose``, from the same
    initial weights and with the same batches, and is the one with the least validation NLL. Test
    data take no part in the choice.

    Args:
        config: the run.
        dataset: as of `train_run`.
        checkpoint: likewise; a run that chooses has none, and starts anew.
        show_progress: likewise.

    Returns:
        The files of the run's folder, by name. Of a run that chooses also choice.csv: a row for
        each combination, its validation NLL, and which was chosen.

    Raises:
        StudyError: as of `train_run`.
    """
    choose = config.settings.choose
    if not choose:
        return train_run(config, dataset, checkpoint, show_progress=show_progress)
    tried: list[tuple[float, dict[str, Any], dict[str, bytes]]] = []
    for combination in choose.combinations:
        files = train_run(with_settings(config, combination), dataset, show_progress=show_progress)
        tried.append((json.loads(files[METRICS_FILE])["validation_nll"], combination, files))
    best = min(range(len(tried)), key=lambda i: tried[i][0])
    rows = [
        combination | {"validation_nll": nll, "chosen": int(i == best)}
        for i, (nll, combination, _) in enumerate(tried)
    ]
    files = {name: content for name, content in tried[best][2].items() if name != SUMS}
    files[CHOICE] = csv_bytes(list(rows[0]), rows)
    return files | {SUMS: sums(files)}


def with_settings(config: RunConfig, combination: dict[str, Any]) -> RunConfig:
    """Give the run with one combination of what its method leaves open.

    Args:
        config: the run.
        combination: settings of a method by name, and ``alpha``.
    """
    settings = config.settings.model_copy(update=combination | {"choose": None})
    alpha = combination.get("alpha", config.alpha)
    return config.model_copy(update={"settings": settings, "alpha": alpha})
