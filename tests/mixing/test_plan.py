"""A plan: a value that prints, moves and stays as it is; the targets and masks that it mixes."""

import math
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.testing import assert_close

from mixup import MixPlan
from tests import reference
from tests.mixing.five import LABELS, LAMS, PERM, C, N, own, plan


@pytest.mark.parametrize("lam", LAMS)
def test_mixing_onehot_rows_as_features_gives_the_soft_targets(lam: float | list[float]) -> None:
    soft = plan(lam).soft_targets(torch.tensor(LABELS), C)
    expected = torch.from_numpy(reference.mixed(reference.onehot(LABELS, C), lam, PERM))
    assert_close(soft.double(), expected, rtol=1e-6, atol=1e-6)
    assert_close(soft.sum(1), torch.ones(N))


def test_a_plan_is_itself_and_stays_as_it_is() -> None:
    one, other = plan([0.5] * N), plan([0.5] * N)
    assert one != other
    assert len({one, other}) == 2
    assert one.noise_seed == 0
    with pytest.raises(FrozenInstanceError):
        one.lam = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("lam", LAMS)
def test_a_plan_moves_to_a_device_with_all_it_has(lam: float | list[float]) -> None:
    one = plan(lam, mixes="labels", noise=0.5, noise_seed=7)
    assert one.to("cpu") is one
    moved = one.to("meta")
    assert (moved.layer, moved.mixes, moved.noise, moved.noise_seed) == (
        "hidden.0",
        "labels",
        0.5,
        7,
    )
    assert moved.perm.is_meta
    assert moved.lam.is_meta if isinstance(moved.lam, Tensor) else moved.lam == lam


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lam": 1.5}, r"lam must be in \[0, 1\], got 1\.5"),
        ({"lam": math.nan}, r"lam must be in \[0, 1\], got nan"),
        ({"lam": torch.tensor([0.5, -0.1])}, r"lam must be in \[0, 1\], got \[0\.5000, -0\.1000\]"),
        ({"lam": torch.tensor([1.5, 0.5])}, r"lam must be in \[0, 1\], got \[1\.5000, 0\.5000\]"),
        ({"lam": torch.tensor([math.nan, 0.5])}, r"lam must be in \[0, 1\], got \[nan, 0\.5000\]"),
        ({"lam": torch.tensor(0.5)}, r"lam must be a float or a float tensor of shape \(2,\)"),
        ({"lam": torch.tensor([0, 1])}, r"of shape \(2,\), got torch\.int64 \(2,\)"),
        ({"perm": torch.tensor([1.0, 0.0])}, r"perm must be int64 of shape \(N,\)"),
        ({"perm": torch.tensor([[1, 0]])}, r"perm must be int64 .* got torch\.int64 \(1, 2\)"),
        ({"perm": torch.tensor([1, 1])}, r"each of 0, \.\.\., N - 1 once, got \[1, 1\]"),
        ({"perm": torch.tensor([1, 2])}, r"each of 0, \.\.\., N - 1 once, got \[1, 2\]"),
        ({"mixes": "none"}, "mixes must be one of .*'labels'.*, got 'none'"),
        ({"noise": -1.0}, r"noise must be >= 0 and finite, got -1\.0"),
        ({"noise": math.inf}, "noise must be >= 0 and finite, got inf"),
    ],
)
def test_bad_plans_are_refused(given: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"layer": "input", "lam": 0.5, "perm": torch.tensor([1, 0])}
    MixPlan(**good)
    with pytest.raises(ValueError, match=message):
        MixPlan(**(good | given))


def test_prints_on_one_line() -> None:
    assert repr(plan()) == "MixPlan(layer='hidden.0', lam=0.3000, perm=[3, 0, 2, 4, 1])"
    assert repr(MixPlan.plain(12)).endswith("perm=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])")
    assert repr(MixPlan.plain(13)).endswith("perm=[0, 1, 2, 3, 4, 5, 6, 7, 8, ..., 11, 12])")
    long = MixPlan(None, 1.0, torch.arange(100), "labels", 0.5, 7)
    assert repr(long) == (
        "MixPlan(layer=None, lam=1.0000, perm=[0, 1, 2, 3, 4, 5, 6, 7, 8, ..., 98, 99], "
        "mixes='labels', noise=0.5, noise_seed=7)"
    )


@pytest.mark.parametrize("lam", LAMS)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("ignored", [None, -100, 1])
def test_soft_targets_of_pixels_are_what_cross_entropy_takes(
    lam: float | list[float], smoothing: float, ignored: int | None
) -> None:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(N, C, 4, 2, dtype=torch.float64, generator=generator)
    y = torch.randint(C, (N, 4, 2), generator=generator)
    if ignored == -100:
        y[0, :2] = y[3, 1] = -100
    losses, counted = 0.0, 0.0
    for i, j in enumerate(PERM):
        for label, share in ((y[i], own(lam, i)), (y[j], 1 - own(lam, i))):
            for row, column in np.ndindex(4, 2):
                if (one := int(label[row, column])) != ignored:
                    losses += share * float(reference.cross_entropy(
                        z[i : i + 1, :, row, column], reference.onehot([one], C),
                        smoothing=smoothing)[0])  # fmt: skip
                    counted += share
    soft = plan(lam).soft_targets(y, C, label_smoothing=smoothing, ignore_index=ignored)
    assert soft.shape == (N, C, 4, 2)
    got = F.cross_entropy(z, soft.double()).item()
    assert got == pytest.approx(losses / counted, rel=1e-5)
    with pytest.raises(ValueError, match=r"label_smoothing must be in \[0, 1\], got 2"):
        plan(lam).soft_targets(y, C, label_smoothing=2)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float32])
def test_masks_keep_what_either_sample_keeps(dtype: torch.dtype) -> None:
    mask = torch.rand(N, 6, generator=torch.Generator().manual_seed(0)) < 0.5
    expected = [[bool(mask[i, k] or mask[j, k]) for k in range(6)] for i, j in enumerate(PERM)]
    got = plan().mix_masks(mask.to(dtype))
    assert got.dtype == dtype
    assert got.bool().tolist() == expected
    for one in (MixPlan.plain(N), plan(mixes="labels")):
        assert torch.equal(one.mix_masks(mask), mask)
    with pytest.raises(ValueError, match=r"mask has shape \(4, 6\) for a batch of 5"):
        plan().mix_masks(mask[:4])
