"""Losses and targets of a plan, against loops over samples."""

import math
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from mixup import MixPlan, entropy_floor
from tests import reference

N, C = 5, 3
LABELS = [0, 2, 1, 2, 0]
PERM = [3, 0, 2, 4, 1]
LAMS: list[float | list[float]] = [0.3, [0.3, 0.9, 0.0, 1.0, 0.5]]
WEIGHT = [0.5, 2.0, 1.5]


def plan(lam: float | list[float] = 0.3, **options: Any) -> MixPlan:
    weight = torch.tensor(lam, dtype=torch.float64) if isinstance(lam, list) else lam
    return MixPlan("hidden.0", weight, torch.tensor(PERM), **options)


@pytest.fixture
def logits() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(N, C, dtype=torch.float64, generator=generator)


@pytest.fixture
def labels() -> Tensor:
    return torch.tensor(LABELS)


@pytest.fixture
def loop_targets() -> Callable[[float | list[float]], reference.Array]:
    return lambda lam: reference.mixed(reference.onehot(LABELS, C), lam, PERM)


@pytest.mark.parametrize("lam", LAMS)
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_of_hard_labels(
    lam: float | list[float],
    reduction: str,
    smoothing: float,
    logits: Tensor,
    labels: Tensor,
    loop_targets: Callable[..., reference.Array],
) -> None:
    losses = reference.cross_entropy(logits, loop_targets(lam), smoothing=smoothing)
    expected = {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]
    module = nn.CrossEntropyLoss(reduction=reduction, label_smoothing=smoothing)
    options = {"reduction": reduction, "label_smoothing": smoothing}
    soft = plan(lam).soft_targets(labels, C).double()
    for got in (
        plan(lam).loss(module, logits, labels),
        plan(lam).loss(F.cross_entropy, logits, labels, **options),
        F.cross_entropy(logits, soft, reduction=reduction, label_smoothing=smoothing),
        plan(lam).loss(module, logits, F.one_hot(labels, C).double()),
    ):
        assert_close(got, torch.as_tensor(expected), atol=1e-6, rtol=1e-6)
    assert module.reduction == reduction


@pytest.mark.parametrize("lam", LAMS)
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_class_weights_weigh_hard_and_soft_targets_alike(
    lam: float | list[float], reduction: str, smoothing: float, logits: Tensor, labels: Tensor,
    loop_targets: Callable[..., reference.Array],
) -> None:  # fmt: skip
    targets = loop_targets(lam)
    losses = reference.cross_entropy(logits, targets, weight=WEIGHT, smoothing=smoothing)
    total = sum(WEIGHT[c] * targets[i, c] for i in range(N) for c in range(C))
    expected = torch.as_tensor(
        {"none": losses, "sum": losses.sum(), "mean": losses.sum() / total}[reduction]
    )
    weight = torch.tensor(WEIGHT, dtype=torch.float64)
    options = {"weight": weight, "reduction": reduction, "label_smoothing": smoothing}
    module = nn.CrossEntropyLoss(weight, reduction=reduction, label_smoothing=smoothing)
    for target in (labels, F.one_hot(labels, C).double()):
        assert_close(plan(lam).loss(module, logits, target), expected)
        assert_close(plan(lam).loss(F.cross_entropy, logits, target, **options), expected)
        assert_close(plan(lam).loss(partial(F.cross_entropy, **options), logits, target), expected)
    if not smoothing:
        criterion = nn.NLLLoss(weight, reduction=reduction)
        assert_close(plan(lam).loss(criterion, logits.log_softmax(1), labels), expected)


def test_class_weights_without_mixing(logits: Tensor, labels: Tensor) -> None:
    criterion = nn.CrossEntropyLoss(torch.tensor(WEIGHT, dtype=torch.float64))
    soft = torch.rand(N, C, dtype=torch.float64).softmax(1)
    onehot = F.one_hot(labels, C).double()
    for one in (MixPlan.plain(N), plan(mixes="features"), plan(1.0)):
        assert_close(one.loss(criterion, logits, labels), criterion(logits, labels))
        assert_close(one.loss(criterion, logits, onehot), criterion(logits, labels))
        assert_close(one.loss(criterion, logits, soft), plan(1.0).loss(criterion, logits, soft))


def test_class_weights_of_pixels() -> None:
    z = torch.randn(N, C, 4, 2, dtype=torch.float64)
    y = torch.randint(C, (N, 4, 2))
    onehot = F.one_hot(y, C).movedim(-1, 1).double()
    criterion = nn.CrossEntropyLoss(torch.tensor(WEIGHT, dtype=torch.float64))
    for lam in LAMS:
        assert_close(plan(lam).loss(criterion, z, y), plan(lam).loss(criterion, z, onehot))


@pytest.mark.parametrize("lam", LAMS)
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("ignored", [-100, 3])
def test_ignored_labels_count_for_nothing(
    lam: float | list[float], weight: list[float] | None, ignored: int, logits: Tensor
) -> None:
    labels = [0, ignored, 1, 2, 0]
    losses, counted = 0.0, 0.0
    for i, partner in enumerate(PERM):
        own = lam if isinstance(lam, float) else lam[i]
        for label, share in ((labels[i], own), (labels[partner], 1 - own)):
            if label != ignored:
                one = reference.onehot([label], C)
                losses += share * reference.cross_entropy(logits[i : i + 1], one, weight=weight)[0]
                counted += share * (weight[label] if weight else 1.0)
    weights = torch.tensor(weight, dtype=torch.float64) if weight else None
    criterion = nn.CrossEntropyLoss(weights, ignore_index=ignored)
    got = plan(lam).loss(criterion, logits, torch.tensor(labels))
    assert got.item() == pytest.approx(losses / counted)
    options = {} if ignored == -100 else {"ignore_index": ignored}  # -100 is PyTorch's own
    got = plan(lam).loss(F.cross_entropy, logits, torch.tensor(labels), weight=weights, **options)
    assert got.item() == pytest.approx(losses / counted)


@pytest.mark.parametrize("lam", LAMS)
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("shape", [(N,), (N, 1), (N, C), (N, 2, 2)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.int64, torch.bool])
def test_binary_and_multi_label(
    lam: float | list[float], reduction: str, shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(shape, dtype=torch.float64, generator=generator)
    y = (torch.rand(shape, generator=generator) < 0.5).to(dtype)
    losses = reference.binary_cross_entropy(z, reference.mixed(y.double(), lam, PERM))
    expected = {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]
    for criterion, output in (
        (nn.BCEWithLogitsLoss(reduction=reduction), z),
        (nn.BCELoss(reduction=reduction), z.sigmoid()),
    ):
        got = plan(lam).loss(criterion, output, y)
        assert_close(got, torch.as_tensor(expected), rtol=1e-6, atol=1e-6)


@given(lam=st.floats(0, 1), perm=st.permutations(range(N)), seed=st.integers(0, 1000))
def test_dense_and_two_term_forms_agree_in_loss_and_gradient(
    lam: float, perm: list[int], seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(N, C, dtype=torch.float64, generator=generator, requires_grad=True)
    y = torch.randint(C, (N,), generator=generator)
    drawn = MixPlan("input", lam, torch.tensor(perm))
    two_term = drawn.loss(F.cross_entropy, z, y)
    dense = F.cross_entropy(z, drawn.mix_targets(F.one_hot(y, C).double()))
    assert_close(two_term, dense)
    assert_close(torch.autograd.grad(two_term, z), torch.autograd.grad(dense, z))


@pytest.mark.parametrize("lam", LAMS)
def test_labels_with_more_dimensions(lam: float | list[float]) -> None:
    z = torch.randn(N, C, 4, 2, dtype=torch.float64)
    y = torch.randint(C, (N, 4, 2))
    onehot = F.one_hot(y, C).movedim(-1, 1).double()
    expected = F.cross_entropy(z, torch.from_numpy(reference.mixed(onehot, lam, PERM)))
    assert_close(plan(lam).loss(nn.CrossEntropyLoss(), z, y), expected * 1.0)


@pytest.mark.parametrize("lam", LAMS)
def test_mixing_onehot_rows_as_features_gives_the_soft_targets(
    lam: float | list[float], labels: Tensor, loop_targets: Callable[..., reference.Array]
) -> None:
    soft = plan(lam).soft_targets(labels, C)
    assert_close(soft.double(), torch.from_numpy(loop_targets(lam)), rtol=1e-6, atol=1e-6)
    assert_close(soft.sum(1), torch.ones(N))


def test_any_criterion_of_hard_labels_takes_the_two_term_form(logits: Tensor) -> None:
    labels = torch.tensor(LABELS)
    got = plan(0.3).loss(nn.MultiMarginLoss(), logits, labels)
    one = nn.MultiMarginLoss(reduction="none")(logits, labels)
    other = nn.MultiMarginLoss(reduction="none")(logits, labels[PERM])
    expected = sum(0.3 * one[i] + 0.7 * other[i] for i in range(N)) / N
    assert_close(got, torch.as_tensor(expected))
    assert_close(plan([0.3] * N).loss(nn.MultiMarginLoss(), logits, labels), got)


def test_outputs_may_be_anything_the_criterion_takes(logits: Tensor, labels: Tensor) -> None:
    got = plan().loss(lambda out, y: F.cross_entropy(out["logits"], y), {"logits": logits}, labels)
    assert_close(got, plan().loss(F.cross_entropy, logits, labels))


def test_a_plan_that_mixes_no_labels_gives_the_plain_loss(logits: Tensor, labels: Tensor) -> None:
    for one in (MixPlan.plain(N), plan(mixes="features")):
        assert torch.equal(
            one.loss(F.cross_entropy, logits, labels), F.cross_entropy(logits, labels)
        )
        assert torch.equal(one.loss(F.mse_loss, logits, logits), torch.zeros(()).double())
        assert torch.equal(one.soft_targets(labels, C), F.one_hot(labels, C).float())
        assert one.entropy(labels) == 0.0
    plain = MixPlan.plain(3)
    assert plain.perm.tolist() == [0, 1, 2]
    assert (plain.layer, plain.lam, plain.noise, plain.noise_seed) == (None, 1.0, 0.0, 0)


def test_a_plan_is_itself_and_stays_as_it_is() -> None:
    one, other = plan([0.5] * N), plan([0.5] * N)
    assert one != other
    assert len({one, other}) == 2
    assert one.noise_seed == 0
    with pytest.raises(FrozenInstanceError):
        one.lam = 1.0  # type: ignore[misc]


def test_a_plain_loss_takes_any_target(logits: Tensor, labels: Tensor) -> None:
    def of_two(output: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        return sum((F.cross_entropy(output, target) for target in targets), torch.zeros(()))

    assert_close(
        MixPlan.plain(N).loss(of_two, logits, (labels, labels)),  # type: ignore[arg-type]
        2 * F.cross_entropy(logits, labels),
    )


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


def test_loss_does_not_change_its_arguments(logits: Tensor, labels: Tensor) -> None:
    before = logits.clone(), labels.clone()
    plan([0.5] * N).loss(F.cross_entropy, logits, labels)
    assert torch.equal(logits, before[0])
    assert torch.equal(labels, before[1])


def test_entropy_is_the_loss_of_the_best_prediction() -> None:
    rng = np.random.default_rng(0)
    labels = torch.from_numpy(rng.integers(4, size=2000))
    entropies = []
    for lam in rng.beta(2.0, 2.0, size=200):
        drawn = MixPlan("input", float(lam), torch.from_numpy(rng.permutation(2000)))
        best = drawn.soft_targets(labels, 4).double().clamp_min(1e-300).log()
        entropy = drawn.entropy(labels)
        assert entropy == pytest.approx(drawn.loss(F.cross_entropy, best, labels).item(), rel=1e-5)
        assert entropy == drawn.entropy(labels.float().unsqueeze(1))
        entropies.append(entropy)
    assert np.mean(entropies) == pytest.approx(entropy_floor(2.0, p_different=0.75), rel=0.03)


def test_bad_targets_are_refused(logits: Tensor, labels: Tensor) -> None:
    with pytest.raises(TypeError, match="target must be a tensor, got tuple"):
        plan().loss(F.cross_entropy, logits, (labels, labels))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"target has shape \(4,\) for a batch of 5"):
        plan().loss(F.cross_entropy, logits, labels[:4])
    with pytest.raises(ValueError, match=r"target has shape \(\) for a batch of 5"):
        plan().loss(F.cross_entropy, logits, torch.tensor(1))
    with pytest.raises(ValueError, match="need a criterion with a `reduction`"):
        plan([0.5] * N).loss(lambda o, y: F.cross_entropy(o, y), logits, labels)
    with pytest.raises(TypeError, match=r"tensor of torch\.int64"):
        plan().mix_targets(labels)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lam": 1.5}, r"lam must be in \[0, 1\], got 1\.5"),
        ({"lam": math.nan}, r"lam must be in \[0, 1\], got nan"),
        ({"lam": torch.tensor([0.5, -0.1])}, r"lam must be in \[0, 1\], got \[0\.5000, -0\.1000\]"),
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
        own = lam if isinstance(lam, float) else lam[i]
        for label, share in ((y[i], own), (y[j], 1 - own)):
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
