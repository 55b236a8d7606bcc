"""What all methods of an experiment share: when things happen, batches, loss and its floor."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from mixup.mixing.entropy import binary_entropy
from mixup.mixing.plan import MixPlan
from study.errors import StudyError
from study.seeds import Purpose, seed_sequence
from study.training.experiment import RunConfig

DECAY = 0.1


@dataclass(frozen=True)
class Schedule:
    """When things happen in a run; steps count from 1."""

    n_steps: int
    """Length of training."""
    decay_at: frozenset[int]
    """Steps after which the learning rate is divided by ten."""
    cosine: float | None
    """The initial learning rate, where it falls as half a cosine."""
    evaluate_at: frozenset[int]
    """Steps after which the net is evaluated on clean data; the last step is one of them."""

    def adjust(self, optimiser: Optimizer, step: int) -> None:
        """Set the learning rate as it is to be after a step."""
        for group in optimiser.param_groups:
            if step in self.decay_at:
                group["lr"] *= DECAY
            if self.cosine:
                group["lr"] = self.cosine * (1 + math.cos(math.pi * step / self.n_steps)) / 2


def schedule_for(config: RunConfig, n_train: int) -> Schedule:
    """Count a run's steps.

    Args:
        config: the run, its lengths in steps or epochs.
        n_train: number of training points; the ragged rest of an epoch makes no step.

    Raises:
        StudyError: the batch is larger than the training data.
    """
    recipe = config.training
    if recipe.batch_size > n_train:
        raise StudyError(
            f"experiments.{config.experiment}.training.batch_size = {recipe.batch_size} is larger "
            f"than the {n_train} training points"
        )
    unit = 1 if recipe.steps else n_train // recipe.batch_size
    n_steps = recipe.n_steps(n_train)
    return Schedule(
        n_steps,
        frozenset(at * unit for at in recipe.decay_at),
        recipe.learning_rate if recipe.schedule == "cosine" else None,
        frozenset(
            round(n_steps * i / recipe.evaluations) for i in range(1, recipe.evaluations + 1)
        ),
    )


class Batches:
    """Choose the batches of a run, without end.

    Every epoch has a new order; the ragged rest of it is dropped. The batches follow from the seed
    alone, so that the number of steps taken is all that a checkpoint needs to know of them.

    Args:
        n_train: number of training points.
        batch_size: B, samples of a batch, at most ``n_train``.
        seed: the run's seed.
        start: number of batches to leave out, as a run does that has taken so many steps.

    Randomness: a generator of its own, `Purpose.BATCHES` of the seed.
    """

    def __init__(self, n_train: int, batch_size: int, seed: int, start: int = 0) -> None:
        self._rng = np.random.default_rng(seed_sequence(seed, Purpose.BATCHES))
        self._n_train, self._batch_size = n_train, batch_size
        self._n_batches = n_train // batch_size
        for _ in range(start // self._n_batches):
            self._rng.permutation(n_train)
        self._next = np.empty((0, batch_size), dtype=np.int64)
        self.take(start % self._n_batches)

    def take(self, n: int) -> Tensor:
        """Return the next n batches: (n, B) int64 indices of training points."""
        epochs = [self._next]
        for _ in range(math.ceil((n - len(self._next)) / self._n_batches)):
            order = self._rng.permutation(self._n_train)
            whole = order[: self._n_batches * self._batch_size]
            epochs.append(whole.reshape(self._n_batches, self._batch_size))
        batches = np.concatenate(epochs)
        self._next = batches[n:]
        return torch.from_numpy(batches[:n])


def samples(
    inputs: Tensor, targets: Tensor, batch_size: int, seed: int, start: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the inputs and targets of a run's `Batches`, without end.

    They are gathered several steps at once, which costs a small net's step a tenth less.

    Args:
        inputs: (N, ...), the training points.
        targets: (N, ...).
        batch_size: B, at most N.
        seed: the run's seed.
        start: number of batches to leave out.

    Yields:
        (B, ...) inputs and (B, ...) targets; to be read only.
    """
    ahead = max(1, min(64, 2**18 // inputs[:batch_size].numel()))
    # The same steps are gathered together wherever a run starts: sums can depend, in their last
    # bits, on where in memory the samples lie.
    skip = start % ahead
    batches = Batches(len(inputs), batch_size, seed, start - skip)
    while True:
        chosen = batches.take(ahead).flatten().to(inputs.device)
        x, y = (
            tensor.index_select(0, chosen).view(ahead, batch_size, *tensor.shape[1:]).unbind()
            for tensor in (inputs, targets)
        )
        yield from islice(zip(x, y, strict=True), skip, None)
        skip = 0


def targets_and_criterion(labels: Tensor, n_logits: int) -> tuple[Tensor, Callable[..., Tensor]]:
    """Choose the form of the targets and the loss of a net with one logit, or with C.

    Args:
        labels: (N,) int64 class indices, or (N, L) of 0 and 1.
        n_logits: of the net; one logit tells two classes apart.

    Returns:
        Targets, (N, 1) or (N, L) float32 or the class indices as they are, and the mean loss they
        are made for.
    """
    if n_logits == 1 or labels.ndim == 2:
        return labels.float().reshape(len(labels), -1), F.binary_cross_entropy_with_logits
    return labels, F.cross_entropy


def make_optimiser(config: RunConfig, net: nn.Module) -> Optimizer:
    """Make the run's optimiser."""
    recipe, decay = config.training, config.settings.weight_decay
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(
            net.parameters(), lr=recipe.learning_rate, momentum=recipe.momentum, weight_decay=decay
        )
    return torch.optim.AdamW(
        net.parameters(), lr=recipe.learning_rate, weight_decay=decay, fused=True
    )


class Floor:
    """The least mean loss of a step, given how it mixes.

    ``p_different_labels * H(lam)`` with H the `binary_entropy`, in nats: what the batches of a run
    allow on average over their partners, for one lam a batch. It is 0 for a step that does not mix
    its targets.

    Args:
        labels: (n,) int, those of the training data, or (n, L) of 0 and 1; n >= 2.
        batch_size: B.
    """

    def __init__(self, labels: Sequence[int] | np.ndarray | Tensor, batch_size: int) -> None:
        columns = np.asarray(labels).reshape(len(labels), -1).T  # of many labels, their mean
        self._p_different = float(np.mean([p_different_labels(one, batch_size) for one in columns]))

    def __call__(self, plan: MixPlan | None) -> float:
        """Compute the floor of a step from what it mixed, None for nothing."""
        if plan is None or not plan.mixes_labels:
            return 0.0
        return self._p_different * binary_entropy(float(plan.lam))


def p_different_labels(labels: Sequence[int] | np.ndarray | Tensor, batch_size: int) -> float:
    """Compute the probability that a sample and its partner in a batch have different labels.

    ``(1 - 1 / B) * (1 - sum_c n_c (n_c - 1) / (n (n - 1)))``: of a random permutation of B
    samples, a sample is its own partner with probability 1 / B; any other partner is one of the
    remaining n - 1 training samples, each as likely, as a batch is drawn without replacement.

    Args:
        labels: (n,) int, those of the training data; n >= 2.
        batch_size: B.

    Returns:
        A number in [0, 1].
    """
    counts = np.unique(np.asarray(labels), return_counts=True)[1].astype(np.float64)
    n = counts.sum()
    same = (counts * (counts - 1)).sum() / (n * (n - 1))
    return float((1 - 1 / batch_size) * (1 - same))
