"""A small net, a batch for it, and outputs of five samples.

Tiny models are slower on several threads.
"""

import pytest
import torch
from torch import Tensor

from mixup import MLP
from tests.mixing.five import C, N

torch.set_num_threads(1)


@pytest.fixture
def net() -> MLP:
    torch.manual_seed(0)
    return MLP(2, [8, 6, 5], 3)


@pytest.fixture
def x() -> Tensor:
    return torch.randn(4, 2, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def logits() -> Tensor:
    return torch.randn(N, C, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
