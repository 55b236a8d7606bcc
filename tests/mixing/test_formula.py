"""The formula against a loop over samples; any rank, dtype and structure."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from mixup.mixing.formula import add_noise, mix, tensors_of
from tests import reference

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]


@st.composite
def batches(draw: st.DrawFn) -> tuple[torch.Tensor, float | torch.Tensor, torch.Tensor, int]:
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    batch_dim = draw(st.integers(0, len(shape) - 1))
    n = shape[batch_dim]
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    h = torch.randn(shape, dtype=draw(st.sampled_from(DTYPES)), generator=generator)
    if draw(st.booleans()):  # the same numbers, not in the order of memory
        h = h.transpose(0, -1).contiguous().transpose(0, -1)
    weight = st.floats(0, 1, width=32)
    lam: float | torch.Tensor = draw(weight)
    if draw(st.booleans()):
        lam = torch.tensor(draw(st.lists(weight, min_size=n, max_size=n)))
    return h, lam, torch.tensor(draw(st.permutations(range(n)))), batch_dim


@given(batches())
def test_equals_the_loop_over_samples(
    batch: tuple[torch.Tensor, float | torch.Tensor, torch.Tensor, int],
) -> None:
    h, lam, perm, batch_dim = batch
    before = h.clone()
    got = mix(h, lam, perm, batch_dim=batch_dim)
    weights = lam if isinstance(lam, float) else lam.tolist()
    expected = reference.mixed(h.double().movedim(batch_dim, 0).numpy(), weights, perm.tolist())
    assert got.dtype == h.dtype
    assert got.shape == h.shape
    eps = torch.finfo(h.dtype).eps
    assert_close(
        got.double().movedim(batch_dim, 0), torch.from_numpy(expected), rtol=4 * eps, atol=8 * eps
    )
    assert torch.equal(h, before)


@given(batches())
def test_swapping_lam_and_inverting_the_permutation_swaps_roles(
    batch: tuple[torch.Tensor, float | torch.Tensor, torch.Tensor, int],
) -> None:
    h, lam, perm, batch_dim = batch
    h = h.double()
    if isinstance(lam, torch.Tensor):
        lam = lam.double()  # else 1 - lam is rounded here, and not in the code under test
    # mixed[perm[i]] under the inverse has perm[i] as original and i as its partner
    other_lam = 1 - lam if isinstance(lam, float) else (1 - lam)[perm.argsort()]
    swapped = mix(h, other_lam, perm.argsort(), batch_dim=batch_dim)
    assert_close(mix(h, lam, perm, batch_dim=batch_dim), swapped.index_select(batch_dim, perm))


def test_lam_is_the_weight_of_the_original_and_is_not_folded() -> None:
    h = torch.tensor([[0.0], [1.0]])
    assert mix(h, 0.1, torch.tensor([1, 0])).tolist() == [
        [pytest.approx(0.9)],
        [pytest.approx(0.1)],
    ]


@pytest.mark.parametrize("dtype", [*DTYPES, torch.complex64])
def test_nothing_changes_at_lam_one_or_with_oneself_as_partner(dtype: torch.dtype) -> None:
    h = torch.randn(5, 3, dtype=dtype)
    perm = torch.tensor([1, 2, 3, 4, 0])
    assert torch.equal(mix(h, 1.0, perm), h)
    assert torch.equal(mix(h, 0.0, perm), h[perm])
    assert torch.equal(mix(h, 0.3, torch.arange(5)), h)
    assert torch.equal(mix(h, torch.full((5,), 0.3), torch.arange(5)), h)


def test_gradients_go_to_both_partners() -> None:
    h = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    perm = torch.tensor([2, 0, 1, 3])
    lam = torch.tensor([0.1, 0.5, 0.9, 0.3], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda h: mix(h, 0.7, perm), h)
    assert torch.autograd.gradcheck(lambda h: mix(h, lam, perm), h)


@dataclass(frozen=True)
class Output:
    """What some models return."""

    hidden: torch.Tensor
    name: str = "name"


def test_structures_are_kept() -> None:
    Pair = namedtuple("Pair", "first second")
    h = torch.arange(6.0).view(3, 2)
    perm = torch.tensor([2, 0, 1])
    expected = torch.from_numpy(reference.mixed(h, 0.25, [2, 0, 1])).float()
    tree = {"a": (h, [h, None]), "b": Pair(h, "name"), "c": OrderedDict(d=h)}
    tree["e"] = Output(h)
    got = mix(tree, 0.25, perm)
    assert isinstance(got["b"], Pair)
    assert isinstance(got["c"], OrderedDict)
    assert got["b"].second == "name"
    assert got["a"][1][1] is None
    assert got["e"].name == "name"
    for tensor in (
        *(got["a"][0], got["a"][1][0], got["b"].first, got["c"]["d"]),
        got["e"].hidden,
    ):
        assert_close(tensor, expected)
    assert tree["a"][0] is tree["e"].hidden is h


def test_tensors_are_found_in_any_structure() -> None:
    a, b, c = torch.zeros(1), torch.ones(2), torch.ones(3)
    assert [*tensors_of(a)] == [a]
    assert [id(t) for t in tensors_of({"a": (a, [b, None]), "n": 1, "c": OrderedDict(d=c)})] == [
        *map(id, (a, b, c))
    ]
    assert [*tensors_of(Output(a))] == [a]
    assert not [*tensors_of("text")]
    assert not [*tensors_of(Output)]


def test_channels_last_is_kept() -> None:
    h = torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last)
    mixed = mix(h, 0.5, torch.tensor([1, 0, 3, 2]))
    assert mixed.is_contiguous(memory_format=torch.channels_last)


def test_works_under_vmap_with_a_plan_for_each_model() -> None:
    h = torch.randn(3, 4, 2)
    lam = torch.tensor([0.2, 1.0, 0.7])
    perm = torch.stack([torch.randperm(4) for _ in range(3)])
    stacked = torch.vmap(mix)(h, lam, perm)
    for i in range(3):
        assert torch.equal(stacked[i], mix(h[i], float(lam[i]), perm[i]))


def test_what_cannot_be_mixed_is_refused() -> None:
    perm = torch.tensor([1, 0])
    with pytest.raises(TypeError, match=r"tensor of torch\.int64"):
        mix(torch.ones(2, 3, dtype=torch.int64), 0.5, perm)
    with pytest.raises(TypeError, match=r"tensor of torch\.bool"):
        mix((torch.ones(2), torch.ones(2, dtype=torch.bool)), 0.5, perm)
    with pytest.raises(TypeError, match=r"cannot mix a ndarray.*; give tensors, such as"):
        mix([np.ones(2)], 0.5, perm)
    with pytest.raises(TypeError, match=r"cannot mix a set.*; mix at a layer whose state is one"):
        mix({1.0}, 0.5, perm)
    with pytest.raises(ValueError, match=r"shape \(3, 2\) for a batch of 2.*batch_dim"):
        mix(torch.ones(3, 2), 0.5, perm)
    with pytest.raises(ValueError, match=r"shape \(\) for a batch of 2"):
        mix(torch.tensor(1.0), 0.5, perm)
    with pytest.raises(ValueError, match=r"lam has shape \(3,\)"):
        mix(torch.ones(2), torch.ones(3), perm)


def test_noise_has_its_size_and_can_be_repeated() -> None:
    h = {"a": torch.zeros(100, 200), "b": torch.zeros(100, 200, dtype=torch.float64)}
    state = torch.get_rng_state()
    noisy = add_noise(h, 0.5, seed=7)
    assert torch.equal(torch.get_rng_state(), state)
    assert noisy["b"].dtype == torch.float64
    for tensor in noisy.values():
        assert abs(tensor.mean()) < 0.02
        assert abs(tensor.std() - 0.5) < 0.02
    again, other = add_noise(h, 0.5, seed=7), add_noise(h, 0.5, seed=8)
    assert torch.equal(noisy["a"], again["a"])
    assert not torch.equal(noisy["a"], other["a"])
    assert (
        abs(
            torch.corrcoef(torch.stack([noisy["a"].flatten().double(), noisy["b"].flatten()]))[0, 1]
        )
        < 0.05
    )


def test_noise_is_torchs_of_the_seed_and_the_seeds_after_it() -> None:
    h = [torch.ones(3), torch.ones(2, 2)]
    for i, tensor in enumerate(add_noise(h, 0.5, seed=7)):
        normal = torch.randn(h[i].shape, generator=torch.Generator().manual_seed(7 + i))
        assert torch.equal(tensor, h[i] + 0.5 * normal)


@given(batches(), st.booleans())
def test_gradients_are_those_of_the_two_products(
    batch: tuple[torch.Tensor, float | torch.Tensor, torch.Tensor, int], repeated: bool
) -> None:
    h, lam, perm, batch_dim = batch
    perm = perm // 2 if repeated else perm  # partners need not be a permutation
    h = h.double().requires_grad_()
    upstream = torch.randn(h.shape, dtype=torch.float64)
    moved, weight = h.movedim(batch_dim, 0), torch.as_tensor(lam, dtype=torch.float64)
    weight = weight.view(-1, *[1] * (h.ndim - 1))
    product = (weight * moved + (1 - weight) * moved[perm]).movedim(0, batch_dim)
    (expected,) = torch.autograd.grad(product, h, upstream)
    (got,) = torch.autograd.grad(mix(h, lam, perm, batch_dim=batch_dim), h, upstream)
    assert_close(got, expected)


def test_second_derivatives() -> None:
    h = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    perm = torch.tensor([2, 0, 1, 3])
    assert torch.autograd.gradgradcheck(lambda h: mix(h**2, 0.7, perm), h)


def test_gradients_under_vmap_are_those_of_each_model() -> None:
    h = torch.randn(3, 4, 2, dtype=torch.float64)
    lam = torch.tensor([0.2, 1.0, 0.7], dtype=torch.float64)
    perm = torch.stack([torch.randperm(4) for _ in range(3)])

    def loss(h: torch.Tensor, lam: float | torch.Tensor, perm: torch.Tensor) -> torch.Tensor:
        return (mix(h, lam, perm) ** 3).sum()

    stacked = torch.vmap(torch.func.grad(loss))(h, lam, perm)
    for i in range(3):
        one = h[i].clone().requires_grad_()
        loss(one, float(lam[i]), perm[i]).backward()
        assert_close(stacked[i], one.grad)
        assert_close(torch.func.grad(loss)(h[i], float(lam[i]), perm[i]), one.grad)
