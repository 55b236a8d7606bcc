"""The nets of a cohort as one stacked model, whose every step has the bits of each net's alone.

What a step of a small net costs is its calls; a stack makes most of them once for all its nets.
Batched matrix products and their gradients take, per matrix, the sums of one. What would not keep
the bits is done net by net: a single output unit, which takes another kernel alone; sigmoids, the
last few of which are computed by another formula than the rest; mixing; AdamW. The backward pass is
written out, because autograd would cost more than the arithmetic. `study.training.trial`
makes sure that all this is so on the machine at hand.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mixup.mixing.formula import mix
from mixup.mixing.plan import MixPlan
from mixup.models.mlp import MLP
from study.training.checkpoint import State
from study.training.experiment import RunConfig

MOMENTS = ("exp_avg", "exp_avg_sq")


class Stack:
    """The nets of M runs as one, for training.

    Its weights and AdamW's moments are those of the runs: changing one changes the other.

    Args:
        configs: runs with nets of one shape, without batch norm and stopped gradients.
        states: their states, at the same step.
    """

    def __init__(self, configs: Sequence[RunConfig], states: Sequence[State]) -> None:
        runs = [
            (i, config.settings, state.generator)
            for i, (config, state) in enumerate(zip(configs, states, strict=True))
        ]
        self._noisy = [(i, s.input_noise, own) for i, s, own in runs if s.input_noise]
        self._dropping = [(i, s.dropout, own) for i, s, own in runs if s.dropout]
        net = configs[0].net
        self._slope = net.negative_slope
        self._narrow = net.bottleneck.layer if net.bottleneck else None
        weights = [
            _stacked(own) for own in zip(*(state.net.parameters() for state in states), strict=True)
        ]
        gradients = [torch.zeros_like(weight) for weight in weights]
        self._layers = list(zip(weights[::2], weights[1::2], strict=True))
        self._gradients = list(zip(gradients[::2], gradients[1::2], strict=True))
        self._steps = torch.full((len(states) * len(weights),), float(states[0].step))
        self._updates = _updates(states, gradients, self._steps)

    @torch.no_grad()
    def step(
        self, x: Tensor, y: Tensor, plans: Sequence[MixPlan], criterion: Callable[..., Tensor]
    ) -> Tensor:
        """Take a step of every net.

        Args:
            x: (M, N, F) inputs; overwritten.
            y: (M, N, ...) targets.
            plans: what each net mixes.
            criterion: the mean loss, as of `targets_and_criterion`.

        Returns:
            (M,) losses.

        Randomness: the states' generators, for noise and dropout.
        """
        output = self.forward(x, plans)
        losses, gradient = losses_and_gradients(output, y, plans, criterion)
        self.backward(gradient, plans)
        self._update()
        return losses

    def forward(self, x: Tensor, plans: Sequence[MixPlan]) -> Tensor:
        """Compute the (M, N, C) logits, and keep what `backward` needs."""
        *hidden, classifier = self._layers
        _mix(x, 0, plans)
        for i, std, generator in self._noisy:
            x[i] += std * torch.randn(x.shape[1:], generator=generator)
        self._states, self._before, self._scales = [x], [], []
        for k, (weight, bias) in enumerate(hidden, start=1):
            before = torch.baddbmm(bias.unsqueeze(1), self._states[-1], weight.mT)
            state = F.leaky_relu(before, self._slope)
            scales = [] if k == self._narrow else self._draw_scales(state)
            _scale(state, scales)
            _mix(state, k, plans)
            self._before.append(before)
            self._scales.append(scales)
            self._states.append(state)
        weight, bias = classifier
        if weight.shape[1] == 1:
            return torch.stack(list(map(F.linear, self._states[-1], weight, bias)))
        return torch.baddbmm(bias.unsqueeze(1), self._states[-1], weight.mT)

    def backward(self, gradient: Tensor, plans: Sequence[MixPlan]) -> None:
        """Compute all weights' gradients from the (M, N, C) of the logits."""
        for k in reversed(range(len(self._layers))):
            of_weight, of_bias = self._gradients[k]
            _multiply(gradient.mT, self._states[k], of_weight)
            torch.sum(gradient, 1, out=of_bias)
            if k == 0:
                return
            gradient = torch.bmm(gradient, self._layers[k][0])
            _mix_backward(gradient, k, plans)
            _scale(gradient, self._scales[k - 1])
            gradient = torch.ops.aten.leaky_relu_backward(
                gradient, self._before[k - 1], self._slope, False
            )

    def _update(self) -> None:
        self._steps += 1
        for group, (weights, gradients, means, squares, steps) in self._updates:
            beta1, beta2 = group["betas"]
            torch._fused_adamw_(  # what torch.optim.AdamW calls, which takes longer for its lists
                weights,
                gradients,
                means,
                squares,
                [],
                steps,
                lr=group["lr"],
                beta1=beta1,
                beta2=beta2,
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
            )

    def _draw_scales(self, state: Tensor) -> list[tuple[int, Tensor]]:
        """Draw what dropout multiplies the (M, N, D) states of some nets by."""
        return [
            (i, torch.empty_like(state[i]).bernoulli_(1 - p, generator=generator).div_(1 - p))
            for i, p, generator in self._dropping
        ]


def losses_and_gradients(
    output: Tensor, y: Tensor, plans: Sequence[MixPlan], criterion: Callable[..., Tensor]
) -> tuple[Tensor, Tensor]:
    """Compute the (M,) losses and their gradients for the (M, N, C) logits."""
    if criterion is F.binary_cross_entropy_with_logits:
        y = torch.stack([plan.mix_targets(own) for plan, own in zip(plans, y, strict=True)])
        losses = criterion(output, y, reduction="none").flatten(1).mean(1)
        # Net by net, because the last few of many sigmoids are not computed as the others are.
        p = torch.stack([own.sigmoid() for own in output])
        return losses, (p - y).div_(output[0].numel())
    with torch.enable_grad():
        leaf = output.requires_grad_()
        parts = zip(plans, leaf.unbind(), y, strict=True)
        each = [plan.loss(criterion, own, target) for plan, own, target in parts]
    return torch.stack(each).detach(), torch.autograd.grad(each, leaf)[0]


def _multiply(left: Tensor, right: Tensor, product: Tensor) -> None:
    """Multiply (M, C, N) by (M, N, D) into (M, C, D), as one product or M of a vector each."""
    if product.shape[1] > 1:
        torch.bmm(left, right, out=product)
        return
    for row, matrix, out in zip(left, right, product, strict=True):
        torch.mm(row, matrix, out=out)


def _scale(state: Tensor, scales: Sequence[tuple[int, Tensor]]) -> None:
    for i, scale in scales:
        state[i] *= scale


def _mix(state: Tensor, k: int, plans: Sequence[MixPlan]) -> None:
    """Mix the (M, N, D) state after layer k, in place."""
    for own, plan in _mixing(state, k, plans):
        own.copy_(mix(own, plan.lam, plan.perm))


def _mix_backward(gradient: Tensor, k: int, plans: Sequence[MixPlan]) -> None:
    """Make the gradient of the mixed state that of the state, in place, as autograd does."""
    for own, plan in _mixing(gradient, k, plans):
        of_partners = torch.zeros_like(own).index_add_(0, plan.perm, own * (1 - plan.lam))
        own.mul_(plan.lam).add_(of_partners)


def _mixing(state: Tensor, k: int, plans: Sequence[MixPlan]) -> list[tuple[Tensor, MixPlan]]:
    """Choose the parts of (M, N, D) that are mixed after layer k."""
    name = MLP.layer_name(k)
    return [
        (state[i], plan)
        for i, plan in enumerate(plans)
        if plan.layer == name and plan.mixes_features
    ]


def _stacked(parameters: Sequence[torch.nn.Parameter]) -> Tensor:
    """Move M parameters into one tensor, of which they become parts."""
    weight = torch.stack([parameter.detach() for parameter in parameters])
    for parameter, part in zip(parameters, weight, strict=True):
        parameter.data = part
    return weight


def _updates(
    states: Sequence[State], gradients: Sequence[Tensor], steps: Tensor
) -> list[tuple[dict[str, Any], list[list[Tensor]]]]:
    """Sort what AdamW updates by weight decay: its settings, and five lists of tensors.

    The runs' optimisers share their moments, and get ``steps``, one for each parameter.
    """
    of_decay: dict[float, tuple[dict[str, Any], list[list[Tensor]]]] = {}
    parts = iter(steps)
    for i, state in enumerate(states):
        group = state.optimiser.param_groups[0]
        _, lists = of_decay.setdefault(group["weight_decay"], (group, [[] for _ in range(5)]))
        for parameter, gradient in zip(state.net.parameters(), gradients, strict=True):
            moments = state.optimiser.state[parameter]
            for name in MOMENTS:
                moments.setdefault(name, torch.zeros_like(parameter))
            moments["step"] = next(parts)
            means, squares = (moments[name] for name in MOMENTS)
            row = (parameter.detach(), gradient[i], means, squares, moments["step"])
            for tensors, tensor in zip(lists, row, strict=True):
                tensors.append(tensor)
    return list(of_decay.values())
