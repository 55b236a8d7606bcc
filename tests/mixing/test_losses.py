"""Losses of all kinds: arguments that belong to samples, half precision, two terms, no trial."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from mixup import MixPlan
from tests import reference
from tests.mixing.five import LABELS, LAMS, PERM, WEIGHT, C, N, own, plan


def weighted(
    output: Tensor, target: Tensor, sample_weight: Tensor, reduction: str = "mean"
) -> Tensor:
    """As of scikit-learn: the mean of losses times the weights of their labels."""
    losses = sample_weight * F.cross_entropy(output, target, reduction="none")
    return losses if reduction == "none" else losses.mean()


@pytest.mark.parametrize("lam", LAMS)
@pytest.mark.parametrize("soft", [False, True])
def test_weights_of_samples_go_with_their_labels(
    lam: float | list[float], soft: bool, logits: Tensor
) -> None:
    weights = [1.0, 5.0, 0.5, 2.0, 3.0]
    expected = 0.0
    for i, j in enumerate(PERM):
        for k, share in ((i, own(lam, i)), (j, 1 - own(lam, i))):
            one = reference.cross_entropy(logits[i : i + 1], reference.onehot([LABELS[k]], C))
            expected += share * weights[k] * one[0] / N
    y = torch.tensor(LABELS)
    got = plan(lam).loss(
        weighted, logits, F.one_hot(y, C).double() if soft else y,
        permute=["sample_weight"], sample_weight=torch.tensor(weights, dtype=torch.float64),
    )  # fmt: skip
    assert got.item() == pytest.approx(expected)


def test_weights_of_several_dimensions_go_with_their_samples() -> None:
    def product(output: Tensor, target: Tensor, sample_weight: Tensor) -> Tensor:
        return (sample_weight * output * target).mean()

    z, y, w = torch.rand(3, N, 2, dtype=torch.float64)
    got = plan().loss(product, z, y, permute=["sample_weight"], sample_weight=w)
    assert_close(got, (z * (0.3 * w * y + 0.7 * w[PERM] * y[PERM])).mean())


@pytest.mark.parametrize("kind", [torch.tensor, tuple])
def test_lengths_of_targets_go_with_them(kind: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(8, N, 6, dtype=torch.float64, generator=generator).log_softmax(2)
    y = torch.randint(1, 6, (N, 3), generator=generator)
    lengths, steps = [1, 2, 3, 2, 1], kind([8] * N)
    expected = 0.0
    for i, j in enumerate(PERM):
        for k, share in ((i, 0.3), (j, 0.7)):
            one = F.ctc_loss(z[:, i], y[k, : lengths[k]], (8,), (lengths[k],), reduction="sum")
            expected += share * one.item()
    got = plan().loss(F.ctc_loss, z, y, permute=["target_lengths"], reduction="sum",
                      input_lengths=steps, target_lengths=kind(lengths))  # fmt: skip
    assert got.item() == pytest.approx(expected)
    with pytest.raises(ValueError, match="'input_lengths' and 'target_lengths' have an entry a sa"):
        plan().loss(F.ctc_loss, z, y, input_lengths=steps, target_lengths=kind(lengths))
    with pytest.raises(ValueError, match="there is no option 'lengths' to permute"):
        plan().loss(F.ctc_loss, z, y, permute=["lengths"], input_lengths=steps)
    with pytest.raises(ValueError, match="there is no option 'lengths' to permute"):
        plan().loss(F.ctc_loss, z, y, permute=["lengths"])
    MixPlan.plain(N).loss(F.ctc_loss, z, y, input_lengths=steps, target_lengths=kind(lengths))


def test_what_is_of_classes_need_not_be_named() -> None:
    # as many classes as samples: the length of a weight does not tell which of them it is for
    z, labels, weight = torch.randn(N, N).double(), [0, 4, 1, 2, 0], torch.rand(N).double()
    y, soft = torch.tensor(labels), reference.mixed(reference.onehot(labels, N), 0.3, PERM)

    losses = reference.cross_entropy(z, soft, weight=weight.tolist())
    got = plan().loss(F.cross_entropy, z, y, weight=weight)
    assert got.item() == pytest.approx(losses.sum() / (soft @ weight.numpy()).sum())

    numbers = torch.rand(N, N).double()
    mixed = torch.from_numpy(reference.mixed(numbers, 0.3, PERM))
    each = mixed * weight * z.sigmoid().log() + (1 - mixed) * (-z).sigmoid().log()
    got = plan().loss(F.binary_cross_entropy_with_logits, z, numbers, pos_weight=weight)
    assert got.item() == pytest.approx(-each.mean().item())

    each = weight * torch.from_numpy(reference.cross_entropy(z, soft))
    got = plan().loss(weighted, z, y, permute=[], sample_weight=weight)
    assert got.item() == pytest.approx(each.mean().item())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("autocast", [False, True])
def test_class_weights_of_onehot_pixels_in_half_precision(
    dtype: torch.dtype, autocast: bool
) -> None:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(N, C, 128, 128, generator=generator).to(dtype)
    y = torch.randint(C, (N, 128, 128), generator=generator)
    onehot, weight = F.one_hot(y, C).movedim(-1, 1), torch.tensor(WEIGHT)
    full = z.double().log_softmax(1)
    mixed = torch.from_numpy(reference.mixed(onehot, 0.3, PERM))
    each = mixed * weight.double().view(-1, 1, 1)
    expected = -(each * full).sum() / each.sum()
    with torch.autocast("cpu", dtype, enabled=autocast):
        got = plan().loss(nn.CrossEntropyLoss(weight), z, onehot.float())
        half = plan().loss(nn.CrossEntropyLoss(weight), z, onehot.to(dtype))
    assert got.item() == pytest.approx(expected.item(), rel=1e-5)
    assert half.item() == pytest.approx(expected.item(), rel=torch.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weighted_losses_are_computed_in_single_precision(
    dtype: torch.dtype, logits: Tensor
) -> None:
    z, targets = logits.to(dtype), reference.mixed(reference.onehot(LABELS, C), 0.3, PERM)
    losses = reference.cross_entropy(z.double(), targets, weight=WEIGHT)
    onehot = F.one_hot(torch.tensor(LABELS), C).float()
    got = plan().loss(nn.CrossEntropyLoss(torch.tensor(WEIGHT)), z, onehot)
    assert got.item() == pytest.approx(losses.sum() / (targets @ WEIGHT).sum(), rel=1e-6)


@pytest.mark.parametrize("lam", LAMS)
def test_two_terms_where_they_are_asked_for(lam: float | list[float], logits: Tensor) -> None:
    y = torch.rand(N, C, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    expected = 0.0
    for i, j in enumerate(PERM):
        for k, share in ((i, own(lam, i)), (j, 1 - own(lam, i))):
            expected += share * float(((logits[i] - y[k]) ** 2).mean()) / N
    assert plan(lam).loss(F.mse_loss, logits, y, terms="two").item() == pytest.approx(expected)
    labels = (y > 0.5).long()
    two = plan(lam).loss(F.binary_cross_entropy_with_logits, logits, labels, terms="two")
    assert_close(two, plan(lam).loss(F.binary_cross_entropy_with_logits, logits, labels))
    weight = torch.tensor(WEIGHT, dtype=torch.float64)
    onehot = F.one_hot(torch.tensor(LABELS), C).double()
    two = plan(lam).loss(F.cross_entropy, logits, onehot, terms="two", weight=weight)
    assert_close(two, plan(lam).loss(F.cross_entropy, logits, onehot, weight=weight))
    with pytest.raises(ValueError, match=r"terms must be one of \('auto', 'two'\), got 'one'"):
        plan().loss(F.mse_loss, logits, y, terms="one")  # type: ignore[arg-type]


def test_a_criterion_that_is_vouched_for_is_not_tried(logits: Tensor) -> None:
    calls: list[Tensor] = []

    def mean_square(output: Tensor, target: Tensor) -> Tensor:
        calls.append(target)
        return ((output - target) ** 2).mean()

    y = torch.rand(N, C, dtype=torch.float64)
    got = plan().loss(mean_square, logits, y, linear=True)
    assert len(calls) == 1
    assert_close(got, mean_square(logits, torch.from_numpy(reference.mixed(y, 0.3, PERM))))


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor, pd.Series, tuple, list])
def test_weights_of_samples_of_any_kind_are_noticed_and_permuted(kind: Any, logits: Tensor) -> None:
    weights, labels = [1.0, 2.0, 3.0, 4.0, 5.0], torch.tensor(LABELS)

    def loss(output: Tensor, target: Tensor, sample_weight: Any) -> Tensor:
        assert type(sample_weight) is type(kind(weights))
        return weighted(output, target, torch.as_tensor(list(sample_weight)))

    given = {"sample_weight": kind(weights)}
    with pytest.raises(ValueError, match="'sample_weight' have an entry a sample"):
        plan().loss(loss, logits, labels, **given)
    found = plan().loss(loss, logits, labels, permute=["sample_weight"], **given)
    own, partner = torch.tensor(weights), torch.tensor(weights)[PERM]
    terms = weighted(logits, labels, own), weighted(logits, labels[PERM], partner)
    assert_close(found, 0.3 * terms[0] + 0.7 * terms[1])
    with pytest.raises(TypeError, match=r"permute must be a list.*write \['sample_weight'\]"):
        plan().loss(loss, logits, labels, permute="sample_weight", **given)


@pytest.mark.parametrize("shape", [(N,), (N, 1), (N, 2)])
def test_a_weight_of_the_losses_of_samples_is_not_taken_for_one_of_classes(shape: Any) -> None:
    z, y = torch.randn(shape), torch.ones(shape)
    for loss in (F.binary_cross_entropy_with_logits, F.mse_loss):
        with pytest.raises(ValueError, match="'weight' have an entry a sample"):
            plan().loss(loss, z, y, weight=torch.rand(shape), terms="two")


def scaled(output: Any, target: Tensor, **_: Any) -> Tensor:
    """A cross-entropy, whatever else is given."""
    return F.cross_entropy(output[0] if isinstance(output, tuple) else output, target)


def test_options_that_are_of_no_sample_need_not_be_named(logits: Tensor) -> None:
    labels, lone = torch.tensor(LABELS), plan()
    expected = lone.loss(F.cross_entropy, logits, labels)
    for options in (
        {"note": "abcde"}, {"scale": torch.tensor(2.0)}, {"names": dict.fromkeys(range(N))},
        {"weight": [1.0] * N}, {"weight": torch.rand(N)},
    ):  # fmt: skip
        assert_close(lone.loss(scaled, logits, labels, **options), expected)
    assert_close(lone.loss(scaled, (logits, None), labels, weight=torch.rand(N)), expected)


def test_weights_of_as_many_dimensions_as_the_output_are_of_samples(logits: Tensor) -> None:
    labels = torch.tensor(LABELS)
    given: list[tuple[Any, Any]] = [
        (torch.rand(N), [1.0] * N), ((logits, None), torch.rand(N, 2)), (logits, torch.rand(N, C))
    ]  # fmt: skip
    for output, weight in given:
        with pytest.raises(ValueError, match="'weight' have an entry a sample"):
            plan().loss(scaled, output, labels, weight=weight)


def test_what_is_permuted_has_an_entry_a_sample(logits: Tensor) -> None:
    labels = torch.tensor(LABELS)
    for wrong, has in ((torch.ones(N + 1), "6 entries"), (torch.tensor(2.0), "no entries")):
        with pytest.raises(ValueError, match=f"'sample_weight', .* has {has} for a batch of 5"):
            plan().loss(weighted, logits, labels, permute=["sample_weight"], sample_weight=wrong)

    def unweighted(output: Tensor, target: Tensor, sample_weight: None) -> Tensor:
        return F.cross_entropy(output, target)

    found = plan().loss(unweighted, logits, labels, permute=["sample_weight"], sample_weight=None)
    assert_close(found, plan().loss(F.cross_entropy, logits, labels))
