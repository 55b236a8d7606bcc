"""One draw of Manifold Mixup."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class MixPlan:
    layer: str | None
    lam: float
    perm: Tensor | None

    def loss(
        self, criterion: Callable[[Tensor, Tensor], Tensor], output: Tensor, target: Tensor
    ) -> Tensor:
        if self.perm is None:
            return criterion(output, target)
        partner = criterion(output, target[self.perm])
        return self.lam * criterion(output, target) + (1 - self.lam) * partner
