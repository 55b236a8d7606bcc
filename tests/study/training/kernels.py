"""Whether this machine can train a stack to the bytes of runs alone; where not, nobody stacks."""

import pytest
import torch
from torch.nn import functional as F

BATCHES = (20, 32)
LAYERS = ((2, 16), (4, 16), (16, 4), (16, 16), (4, 32), (32, 32))
"""Inputs and outputs of the layers in the tests, but for a single output, which is not stacked."""


def products_agree() -> bool:
    """Tell whether a product of many matrices has the bits of products of one."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(20, *shape, generator=generator)

    for n in BATCHES:
        for d, c in LAYERS:
            x, weight, bias, gradient = normal(n, d), normal(c, d), normal(c), normal(n, c)
            together = (
                torch.baddbmm(bias.unsqueeze(1), x, weight.mT),
                torch.bmm(gradient.mT, x),
                torch.bmm(gradient, weight),
            )
            for i in (0, 7):
                one, w, own = x[i].clone(), weight[i].clone(), gradient[i].clone()
                alone = (F.linear(one, w, bias[i].clone()), own.mT.mm(one), own.mm(w))
                if not all(torch.equal(a[i], b) for a, b in zip(together, alone, strict=True)):
                    return False
    return True


needs_agreeing_products = pytest.mark.skipif(
    not products_agree(), reason="this machine's kernels give products of many matrices other bits"
)
