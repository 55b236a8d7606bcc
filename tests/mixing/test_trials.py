"""Which criteria are taken to be linear in their target, or means, and when that is tried."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from mixup.mixing.trials import _is_linear
from tests import reference
from tests.mixing.five import PERM, C, N, plan

PLAN = plan()


def cosine_distance(output: Tensor, target: Tensor) -> Tensor:
    return 1 - F.cosine_similarity(output, target).mean()


def hinge(output: Tensor, target: Tensor) -> Tensor:
    return (1 - output * target).clamp_min(0).mean()


NOT_LINEAR: list[Callable[..., Tensor]] = [
    nn.MSELoss(), nn.L1Loss(), nn.SmoothL1Loss(), nn.HuberLoss(), F.mse_loss,
    nn.KLDivLoss(reduction="sum"), nn.SoftMarginLoss(), nn.HingeEmbeddingLoss(),
    cosine_distance, hinge,
]  # fmt: skip


@pytest.mark.parametrize("criterion", NOT_LINEAR)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("signs", [False, True])
def test_a_criterion_that_is_not_linear_in_its_target_is_refused(
    criterion: Callable[..., Tensor], seed: int, signs: bool
) -> None:
    generator = torch.Generator().manual_seed(seed)
    z = 3 * torch.randn(N, C, dtype=torch.float64, generator=generator)
    y = torch.rand(N, C, dtype=torch.float64, generator=generator)
    if signs and not isinstance(criterion, nn.KLDivLoss):
        y = torch.where(y < 0.5, -1.0, 1.0).double()
    with pytest.raises(ValueError, match="not linear in its target"):
        PLAN.loss(criterion, z, y)
    with pytest.raises(ValueError, match="not linear in its target"):
        PLAN.loss(criterion, z, y)


WITH_OPTIONS: list[Callable[..., Tensor]] = [
    partial(F.cross_entropy, weight=torch.rand(C).double(), label_smoothing=0.3),
    partial(F.cross_entropy, reduction="none"),
    partial(F.binary_cross_entropy_with_logits, pos_weight=torch.rand(C).double()),
    lambda z, y: F.binary_cross_entropy(z.sigmoid(), y, weight=torch.rand(N, 1).double()),
]  # fmt: skip


@pytest.mark.parametrize("criterion", WITH_OPTIONS)
def test_what_is_known_to_be_linear_passes_the_trial(
    criterion: Callable[..., Tensor], logits: Tensor
) -> None:
    assert _is_linear(criterion, logits, torch.rand(N, C, dtype=torch.float64), {})


def test_a_subclass_of_a_linear_criterion_is_tried() -> None:
    class Squared(nn.BCEWithLogitsLoss):
        def forward(self, input: Tensor, target: Tensor) -> Tensor:
            return super().forward(input, target) ** 2

    with pytest.raises(ValueError, match="Squared is not linear in its target"):
        PLAN.loss(Squared(), torch.randn(N, C), torch.rand(N, C))


def test_a_kink_out_of_reach_at_first_is_seen_when_outputs_have_grown(logits: Tensor) -> None:
    def squared_above_three(output: Tensor, target: Tensor) -> Tensor:
        return (target * output).mean() + ((output > 3) * target**2).mean()

    y = torch.rand(N, C, dtype=torch.float64)
    small, large = logits.clamp(-1, 1), logits.abs() + 3
    for _ in range(4):
        PLAN.loss(squared_above_three, small, y)
    for _ in range(3):
        PLAN.loss(squared_above_three, large, y)  # tried at batches 1, 2, 4, 8
    for _ in range(2):
        with pytest.raises(ValueError, match="squared_above_three is not linear"):
            PLAN.loss(squared_above_three, large, y)


def test_linearity_is_seen_even_where_targets_do_not_differ(logits: Tensor) -> None:
    with pytest.raises(ValueError, match="MSELoss is not linear"):
        PLAN.loss(nn.MSELoss(), logits, torch.ones_like(logits))
    with pytest.raises(ValueError, match="MSELoss is not linear"):
        PLAN.loss(nn.MSELoss(), logits.bfloat16(), torch.ones_like(logits).bfloat16())


@pytest.mark.parametrize(
    "criterion",
    [nn.CrossEntropyLoss(), nn.BCEWithLogitsLoss(), nn.MultiLabelSoftMarginLoss(),
     nn.PoissonNLLLoss(), lambda o, t: -(t * o.log_softmax(1)).sum()],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_linear_criteria_are_accepted(
    criterion: Callable[..., Tensor], dtype: torch.dtype, logits: Tensor
) -> None:
    y = torch.rand(N, C).softmax(1).to(dtype)
    got = PLAN.loss(criterion, logits.to(dtype), y)
    expected = criterion(logits, torch.from_numpy(reference.mixed(y.double(), 0.3, PERM)))
    eps = torch.finfo(dtype).eps
    assert_close(got.double(), expected, rtol=20 * eps, atol=20 * eps)


@pytest.mark.parametrize(
    ("y", "low", "high"),
    [([0.2, 0.4, 0.6, 0.8, 0.9], 0, 1), ([-1, 1, 1, -1, 1], -1, 1), ([3, 5, 4, 3, 4], 0, 5)],
)
def test_trials_keep_to_the_range_of_the_targets(y: list[float], low: int, high: int) -> None:
    outputs, targets = [], []

    def record(output: Tensor, target: Tensor) -> Tensor:
        outputs.append(output)
        targets.append(target)
        return (output * target).mean()

    PLAN.loss(record, torch.full((N,), 0.5), torch.tensor(y, dtype=torch.float32))
    assert (torch.stack(targets).min(), torch.stack(targets).max()) == (low, high)
    assert torch.stack(outputs).min() >= low
    assert torch.stack(outputs).max() <= high


def test_rounding_is_no_kink_where_terms_cancel() -> None:
    def excess(output: Tensor, target: Tensor) -> Tensor:
        return output * (target.sum(2) - 1)

    y = torch.rand(N, 200, C, dtype=torch.float64).softmax(2)
    output = torch.ones(N, 200, dtype=torch.float64)
    assert_close(PLAN.loss(excess, output, y), torch.zeros_like(output))


def test_outputs_that_hide_a_curve_are_not_all_that_is_tried() -> None:
    # A last layer that starts at zero gives such outputs, and a cosine of 0 with any target.
    y = torch.rand(N, C, dtype=torch.float64)
    with pytest.raises(ValueError, match="cosine_distance is not linear"):
        PLAN.loss(cosine_distance, torch.zeros(N, C, dtype=torch.float64), y)


def test_a_value_that_is_treated_apart_is_seen_among_the_targets() -> None:
    def without_two(output: Tensor, target: Tensor) -> Tensor:
        return ((target != 2) * target * output).mean()

    y = torch.tensor([[2.0], [0.0], [3.0], [1.0], [1.0]])
    with pytest.raises(ValueError, match="without_two is not linear"):
        PLAN.loss(without_two, torch.ones(N, 1), y)


def test_outputs_that_are_no_tensor_are_tried_too(logits: Tensor) -> None:
    def of_dict(output: dict[str, Tensor], target: Tensor) -> Tensor:
        return F.cross_entropy(output["logits"], target)

    def curved(output: dict[str, Tensor], target: Tensor) -> Tensor:
        return F.mse_loss(output["logits"], target)

    y = torch.rand(N, C, dtype=torch.float64)
    got = PLAN.loss(of_dict, {"logits": logits}, y)
    expected = reference.cross_entropy(logits, reference.mixed(y, 0.3, PERM)).mean()
    assert got.item() == pytest.approx(expected)
    with pytest.raises(ValueError, match="curved is not linear"):
        PLAN.loss(curved, {"logits": logits}, y)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_linear_criterion_under_autocast_is_accepted(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    words = torch.randn(C, C)

    def of_embeddings(output: Tensor, target: Tensor) -> Tensor:
        return -((target @ words) * output.log_softmax(1)).sum(1).mean()

    z, y = 3 * torch.randn(N, C), torch.rand(N, C)
    mixed = torch.from_numpy(reference.mixed(y.double(), 0.3, PERM))
    expected = -((mixed @ words.double()) * z.double().log_softmax(1)).sum(1).mean()
    with torch.autocast("cpu", dtype):
        got = PLAN.loss(of_embeddings, z, y)
    eps = torch.finfo(dtype).eps
    assert got.item() == pytest.approx(expected.item(), rel=10 * eps, abs=10 * eps)


def test_a_bound_method_is_known_again(logits: Tensor) -> None:
    calls: list[int] = []

    class Loss:
        def of(self, output: Tensor, target: Tensor) -> Tensor:
            calls.append(1)
            return (output * target).mean()

        def other(self, output: Tensor, target: Tensor) -> Tensor:
            return (output * target**2).mean()

    loss, y = Loss(), torch.rand(N, C, dtype=torch.float64)
    counts = []
    for _ in range(8):
        before = len(calls)
        PLAN.loss(loss.of, logits, y)
        counts.append(len(calls) - before)
    assert [count > 1 for count in counts] == [True, True, False, True, False, False, False, True]
    with pytest.raises(ValueError, match="other is not linear"):
        PLAN.loss(loss.other, logits, y)


def test_a_criterion_that_cannot_be_tried_says_what_to_do(logits: Tensor) -> None:
    def of_log_probabilities(output: Tensor, target: Tensor) -> Tensor:
        assert (output <= 0).all()
        return -(target * output).mean()

    y, z = torch.rand(N, C, dtype=torch.float64), logits.log_softmax(1)
    with pytest.raises(ValueError, match="of_log_probabilities fails at outputs and targets"):
        PLAN.loss(of_log_probabilities, z, y)
    assert PLAN.loss(of_log_probabilities, z, y, linear=True) > 0
