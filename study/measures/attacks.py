"""Adversarial examples within an L-infinity ball, of any net with logits for inputs in [0, 1]."""

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

Net = Callable[[Tensor], Tensor]


def logits_of(net: nn.Module) -> Net:
    """Give a net's logits in float64, which keeps gradients of confident nets from vanishing.

    A net of two classes that has the logit of the second gets 0 for the first.
    """
    copied = deepcopy(net).double().eval()

    def logits(inputs: Tensor) -> Tensor:
        out: Tensor = copied(inputs)
        return pad(out, (1, 0)) if out.shape[1] == 1 else out

    return logits


def seeded(seed: int) -> torch.Generator:
    """Make the generator that draws where `pgd` starts."""
    return torch.Generator().manual_seed(seed)


def fgsm(net: Net, inputs: Tensor, labels: Tensor, radius: float) -> Tensor:
    """Take one step along the sign of the loss's gradient: ``clip(x + radius * sign(g), 0, 1)``.

    Source: Goodfellow, Shlens and Szegedy (2015), section 4.

    Args:
        net: maps (N, F) to (N, C) logits, a sample at a time: without batch statistics or dropout.
        inputs: (N, F), in [0, 1], of the net's dtype. In float32 the gradient of a confident net
            rounds to zero, which looks like robustness; float64 has room.
        labels: (N,) int64, the true classes.
        radius: of the ball, in the unit of the inputs, >= 0.

    Returns:
        (N, F) examples in [0, 1], at most ``radius`` from the inputs in each feature.
    """
    return (inputs + radius * _gradient(net, inputs, labels).sign()).clamp(0, 1)


def pgd(
    net: Net,
    inputs: Tensor,
    labels: Tensor,
    radius: float,
    *,
    steps: int = 40,
    generator: torch.Generator,
) -> Tensor:
    """Climb the loss by projected gradient steps from a random point of the ball.

    ``x' = clip(x' + 2.5 * radius / steps * sign(g), ball and [0, 1])``: the step size lets the
    search cross the ball and turn back.

    Source: Madry et al. (2018), sections 2.1 and 5.

    Args:
        net: as for `fgsm`.
        inputs: (N, F), in [0, 1].
        labels: (N,) int64, the true classes.
        radius: of the ball, >= 0.
        steps: gradient steps, >= 1.
        generator: draws where the search starts.

    Returns:
        (N, F) examples in [0, 1], at most ``radius`` from the inputs in each feature.

    Randomness: ``generator``.
    """
    low, high = (inputs - radius).clamp(min=0), (inputs + radius).clamp(max=1)
    uniform = torch.rand(inputs.shape, dtype=inputs.dtype, generator=generator)
    examples = low + (high - low) * uniform
    for _ in range(steps):
        examples = examples + 2.5 * radius / steps * _gradient(net, examples, labels).sign()
        examples = examples.clamp(low, high)
    return examples


@torch.no_grad()
def resists(net: Net, examples: Tensor, labels: Tensor) -> NDArray[np.bool_]:
    """Tell of which (N, F) examples the net still finds the true class."""
    found: NDArray[np.bool_] = (net(examples).argmax(1) == labels).numpy()
    return found


def search(
    attack: Callable[[Tensor, Tensor], Tensor], net: Net, inputs: Tensor, labels: Tensor, n: int
) -> tuple[Tensor, NDArray[np.bool_], NDArray[np.bool_]]:
    """Attack up to ``n`` times: after the first, only the samples that no attack has fooled yet.

    Args:
        attack: makes examples of inputs and labels, others at each call.
        net: as for `fgsm`.
        inputs: (N, F), in [0, 1].
        labels: (N,) int64, the true classes.
        n: how often, >= 1.

    Returns:
        The examples of the first attack; (N,) which samples resist it; (N,) which resist all.
    """
    first = attack(inputs, labels)
    by_first = resists(net, first, labels)
    by_all = by_first.copy()
    for _ in range(n - 1):
        left = np.flatnonzero(by_all)
        if not len(left):
            break
        by_all[left] = resists(net, attack(inputs[left], labels[left]), labels[left])
    return first, by_first, by_all


@torch.no_grad()
def mean_loss(net: Net, examples: Tensor, labels: Tensor) -> float:
    """Compute the mean cross-entropy of (N, F) examples, in nats."""
    return float(cross_entropy(net(examples), labels))


def _gradient(net: Net, inputs: Tensor, labels: Tensor) -> Tensor:
    inputs = inputs.detach().requires_grad_()
    with torch.enable_grad():
        # A sum, so that no sample's gradient depends on how many there are.
        loss = cross_entropy(net(inputs), labels, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, inputs)
    return gradient
