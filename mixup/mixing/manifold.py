"""Manifold Mixup for a model's named layers (minimal)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mixup.mixing.formula import mix
from mixup.mixing.plan import MixPlan


class ManifoldMixup:
    def __init__(self, model: nn.Module, layers: Sequence[str], alpha: float, *, seed=0) -> None:
        self.model, self.layers, self.alpha = model, list(layers), alpha
        self.rng = np.random.default_rng(seed)

    def draw(self, batch_size: int) -> MixPlan:
        layer = self.layers[self.rng.integers(len(self.layers))]
        lam = float(self.rng.beta(self.alpha, self.alpha))
        return MixPlan(layer, lam, torch.from_numpy(self.rng.permutation(batch_size)))

    def __call__(self, x: Tensor, plan: MixPlan | None = None) -> tuple[Tensor, MixPlan]:
        if not self.model.training:
            return self.model(x), MixPlan(None, 1.0, None)
        plan = plan or self.draw(len(x))
        if plan.layer == "input":
            return self.model(mix(x, plan.lam, plan.perm)), plan
        module = self.model.get_submodule(plan.layer)
        handle = module.register_forward_hook(
            lambda _m, _i, output: mix(output, plan.lam, plan.perm)
        )
        try:
            return self.model(x), plan
        finally:
            handle.remove()
