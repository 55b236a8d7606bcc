"""Adversarial examples within an L-infinity ball, of any net with logits for inputs in [0, 1]."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

Net = Callable[[Tensor], Tensor]


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
    restarts: int = 1,
    generator: torch.Generator,
) -> Tensor:
    """Climb the loss by projected gradient steps from random points of the ball.

    ``x' = clip(x' + 2.5 * radius / steps * sign(g), ball and [0, 1])``: the step size lets the
    search cross the ball and turn back. Of several restarts each sample keeps the first example
    that fools the net, else the one of the largest loss; only samples that still resist are tried
    again.

    Source: Madry et al. (2018), sections 2.1 and 5.

    Args:
        net: as for `fgsm`.
        inputs: (N, F), in [0, 1].
        labels: (N,) int64, the true classes.
        radius: of the ball, >= 0.
        steps: gradient steps of one search, >= 1.
        restarts: searches, >= 1, each from its own point.
        generator: draws where the searches start.

    Returns:
        (N, F) examples in [0, 1], at most ``radius`` from the inputs in each feature.

    Randomness: ``generator``.
    """
    examples = inputs.clone()
    largest = torch.full(labels.shape, -torch.inf, dtype=inputs.dtype)
    resisting = torch.arange(len(labels))
    for _ in range(restarts):
        found = _climb(net, inputs[resisting], labels[resisting], radius, steps, generator)
        with torch.no_grad():
            logits = net(found)
        loss = cross_entropy(logits, labels[resisting], reduction="none")
        fooled = logits.argmax(1) != labels[resisting]
        better = fooled | (loss > largest[resisting])
        examples[resisting[better]] = found[better]
        largest[resisting[better]] = loss[better]
        resisting = resisting[~fooled]
    return examples


def _climb(
    net: Net,
    inputs: Tensor,
    labels: Tensor,
    radius: float,
    steps: int,
    generator: torch.Generator,
) -> Tensor:
    low, high = (inputs - radius).clamp(min=0), (inputs + radius).clamp(max=1)
    uniform = torch.rand(inputs.shape, dtype=inputs.dtype, generator=generator)
    examples = low + (high - low) * uniform
    for _ in range(steps):
        examples = examples + 2.5 * radius / steps * _gradient(net, examples, labels).sign()
        examples = examples.clamp(low, high)
    return examples


def _gradient(net: Net, inputs: Tensor, labels: Tensor) -> Tensor:
    inputs = inputs.detach().requires_grad_()
    with torch.enable_grad():
        # A sum, so that no sample's gradient depends on how many there are.
        loss = cross_entropy(net(inputs), labels, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, inputs)
    return gradient
