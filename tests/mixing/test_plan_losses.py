"""The loss of a plan, against loops over samples."""

from collections.abc import Callable
from functools import partial

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
from tests.mixing.five import LABELS, LAMS, PERM, WEIGHT, C, N, own, plan


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
        for label, share in ((labels[i], own(lam, i)), (labels[partner], 1 - own(lam, i))):
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


def test_a_plain_loss_takes_any_target(logits: Tensor, labels: Tensor) -> None:
    def of_two(output: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        return sum((F.cross_entropy(output, target) for target in targets), torch.zeros(()))

    assert_close(
        MixPlan.plain(N).loss(of_two, logits, (labels, labels)),  # type: ignore[arg-type]
        2 * F.cross_entropy(logits, labels),
    )


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
    with pytest.raises(TypeError, match="target must be a tensor, got a tuple of 2 items: of"):
        plan().loss(F.cross_entropy, logits, (labels, labels))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"target has shape \(4,\) for a batch of 5"):
        plan().loss(F.cross_entropy, logits, labels[:4])
    with pytest.raises(ValueError, match=r"target has shape \(\) for a batch of 5"):
        plan().loss(F.cross_entropy, logits, torch.tensor(1))
    with pytest.raises(ValueError, match="need a criterion with a `reduction`"):
        plan([0.5] * N).loss(lambda o, y: F.cross_entropy(o, y), logits, labels)
    with pytest.raises(TypeError, match=r"tensor of torch\.int64"):
        plan().mix_targets(labels)
