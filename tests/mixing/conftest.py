"""A small net and a batch for it. Tiny models are slower on several threads."""

import pytest
import torch
from torch import Tensor

from mixup import MLP

torch.set_num_threads(1)


@pytest.fixture
def net() -> MLP:
    torch.manual_seed(0)
    return MLP(2, [8, 6, 5], 3)


@pytest.fixture
def x() -> Tensor:
    return torch.randn(4, 2, generator=torch.Generator().manual_seed(1))
