"""The nets of a cohort as one stacked model, and what each of them mixes as one plan."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from mixup.mixing.formula import mix
from mixup.mixing.plan import MixPlan
from mixup.models.mlp import MLP
from mixup.study.training.member import Member


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


def merge(plans: Sequence[MixPlan]) -> MixPlan:
    """Make one plan of M, for M * N samples one run after another; partners stay in their run."""
    size = len(plans[0].perm)
    starts = size * torch.arange(len(plans)).unsqueeze(1)
    perm = (torch.stack([plan.perm for plan in plans]) + starts).flatten()
    return MixPlan("some", per_sample([plan.lam for plan in plans], size), perm)


def per_sample(lam: Sequence[float | Tensor], size: int) -> Tensor:
    """Repeat the (M,) lam of each run for its samples: (M * N,) float32."""
    return torch.tensor(lam).repeat_interleave(size)
