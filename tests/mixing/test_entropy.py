"""The entropy floor against integrals, closed forms and simulation."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import bernoulli

from mixup import entropy_floor
from mixup.mixing.entropy import binary_entropy

LAMS = [0.0, 0.03, 0.5, 0.8, 1.0]


def test_binary_entropy_is_that_of_a_coin() -> None:
    expected = [float(bernoulli.entropy(lam)) for lam in LAMS]
    assert [binary_entropy(lam) for lam in LAMS] == pytest.approx(expected)
    found = binary_entropy(torch.tensor(LAMS, dtype=torch.float32))
    assert found.dtype == torch.float64
    assert found.tolist() == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(("alpha", "floor"), [(1.0, 1 / 2), (2.0, 7 / 12)])
def test_closed_forms(alpha: float, floor: float) -> None:
    assert entropy_floor(alpha) == pytest.approx(floor, abs=1e-12)
    assert entropy_floor(alpha, p_different=0.9) == pytest.approx(0.9 * floor, abs=1e-12)


@pytest.mark.parametrize(("alpha", "beta"), [(0.2, 0.2), (2.0, 5.0), (1.0, 0.5), (8.0, 8.0)])
def test_equals_the_mean_entropy_of_many_draws(alpha: float, beta: float) -> None:
    lam = np.random.default_rng(0).beta(alpha, beta, 400_000).clip(1e-300, 1 - 1e-16)
    entropy = -(lam * np.log(lam) + (1 - lam) * np.log1p(-lam))
    assert entropy_floor(alpha, beta) == pytest.approx(entropy.mean(), abs=2e-3)


def test_limits() -> None:
    assert entropy_floor(1e9) == pytest.approx(math.log(2), abs=1e-6)
    assert entropy_floor(1e-9) == pytest.approx(0, abs=1e-6)
    assert entropy_floor(1.0, p_different=0.0) == 0


def test_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="alpha must be > 0 and finite, got 0"):
        entropy_floor(0)
    with pytest.raises(ValueError, match="beta must be > 0 and finite, got -1"):
        entropy_floor(1, -1)
    with pytest.raises(ValueError, match="alpha must be > 0 and finite, got inf"):
        entropy_floor(math.inf)
    for none in (2, 1.5, -0.5, math.nan):
        with pytest.raises(ValueError, match=rf"p_different must be in \[0, 1\], got {none}"):
            entropy_floor(1, p_different=none)
