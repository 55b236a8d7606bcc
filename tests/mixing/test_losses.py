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


def test_losses_of_samples_in_half_precision_do_not_overflow() -> None:
    z, y = torch.randn(N, C, 128, 128).half(), torch.randint(C, (N, 128, 128))
    losses = F.cross_entropy(z.double(), y, reduction="none")
    other = F.cross_entropy(z.double(), y[PERM], reduction="none")
    expected = (0.25 * losses + 0.75 * other).mean()
    got = plan([0.25] * N).loss(F.cross_entropy, z, y)
    assert got.item() == pytest.approx(expected.item(), rel=2e-3)


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


def test_two_terms_of_soft_targets_with_a_weight_a_sample_average_over_samples() -> None:
    lam = torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9], dtype=torch.float64)
    output = torch.randn(N, C, dtype=torch.float64)
    target = torch.rand(N, C, dtype=torch.float64).softmax(1)
    losses = [-(t * output.log_softmax(1)).sum(1) for t in (target, target[PERM])]
    expected = (lam * losses[0] + (1 - lam) * losses[1]).mean()
    found = plan(lam.tolist()).loss(F.cross_entropy, output, target, terms="two")
    assert_close(found, expected)


def weighs_classes(output: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """As someone may write it: cross-entropy, by a name that says nothing of its weights."""
    return F.cross_entropy(output, target, torch.tensor(WEIGHT).double(), reduction=reduction)


REDUCED = {
    "multi_margin": (F.multi_margin_loss, {}),
    "kl_div": (nn.KLDivLoss(reduction="batchmean"), {"terms": "two"}),
    "kl_div, a function": (F.kl_div, {"terms": "two", "reduction": "batchmean"}),
    "soft_margin": (F.multilabel_soft_margin_loss, {"terms": "two"}),
    "poisson": (nn.PoissonNLLLoss(), {"terms": "two"}),
}


@pytest.mark.parametrize(
    ("criterion", "dtype"),
    [
        *((name, torch.float64) for name in REDUCED),
        ("kl_div", torch.bfloat16),
        ("soft_margin", torch.bfloat16),
    ],
)
def test_means_of_losses_of_samples_are_those_of_the_criterion(
    criterion: str, dtype: torch.dtype, logits: Tensor
) -> None:
    loss, options = REDUCED[criterion]
    output = logits.log_softmax(1).to(dtype)
    labels = torch.tensor(LABELS)
    target = labels if criterion == "multi_margin" else torch.rand(N, C).softmax(1).to(dtype)
    expected = plan().loss(loss, output, target, **options)
    found = plan([0.3] * N).loss(loss, output, target, **options)
    assert_close(found.to(dtype), expected)


def test_a_mean_that_is_not_that_of_the_losses_is_refused(logits: Tensor) -> None:
    alike = plan([0.3] * N)
    labels = torch.tensor(LABELS)
    with pytest.raises(ValueError, match="the mean of weighs_classes is not that of its losses"):
        alike.loss(weighs_classes, logits, labels)
    assert plan().loss(weighs_classes, logits, labels) > 0
    assert alike.loss(weighs_classes, logits, labels, reduction="sum") > 0
    steps = torch.randn(8, N, 6).log_softmax(2)
    lengths = {"input_lengths": [8] * N, "target_lengths": [1, 2, 3, 2, 1]}
    with pytest.raises(ValueError, match="the mean of CTCLoss is not that of its losses: give one"):
        alike.loss(
            nn.CTCLoss(), steps, torch.ones(N, 3).long(), permute=["target_lengths"], **lengths
        )


class Noisy(nn.Module):
    """A mean of losses of which some are dropped, that counts its calls."""

    reduction = "mean"

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        self.seen += 1
        losses = F.dropout(F.cross_entropy(output, target, reduction="none"))
        return losses.mean() if self.reduction == "mean" else losses


def test_trials_of_the_mean_leave_no_trace(logits: Tensor) -> None:
    labels, noisy = torch.tensor(LABELS), Noisy()
    for step in range(1, 6):
        torch.manual_seed(step)
        found = plan([0.3] * N).loss(noisy, logits, labels)
        after = torch.get_rng_state()
        torch.manual_seed(step)
        losses, other = (
            F.dropout(F.cross_entropy(logits, y, reduction="none")) for y in (labels, labels[PERM])
        )
        assert_close(found, (0.3 * losses + 0.7 * other).mean())
        assert torch.equal(torch.get_rng_state(), after)
        assert noisy.seen == 2 * step


def test_the_mean_is_tried_at_the_1st_2nd_4th_and_8th_batch(logits: Tensor) -> None:
    calls: list[str] = []
    factor = 1

    def loss(output: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
        calls.append(reduction)
        losses = F.cross_entropy(output, target, reduction="none")
        return losses if reduction == "none" else factor * losses.mean()

    labels, tried = torch.tensor(LABELS), []
    for batch in range(1, 16):
        calls.clear()
        plan([0.3] * N).loss(loss, logits, labels)
        tried += [batch] if "mean" in calls else []
    assert tried == [1, 2, 4, 8]
    factor = 2
    with pytest.raises(ValueError, match="the mean of loss is not that of its losses"):
        plan([0.3] * N).loss(loss, logits, labels)


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


def test_losses_without_a_number_stay_so(logits: Tensor) -> None:
    def misfit(output: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
        losses = -output.gather(1, target[:, None])
        return losses if reduction == "none" else losses.mean()

    assert plan([0.3] * N).loss(misfit, logits * torch.nan, torch.tensor(LABELS)).isnan()
