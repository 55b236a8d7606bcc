"""Numbers that are infinite, complex or none at all."""

import pytest
import torch
from torch.testing import assert_close

from mixup.mixing.formula import mix

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
INFINITE = [-torch.inf, torch.inf]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("way", ["plain", "vmap", pytest.param("compiled", marks=pytest.mark.slow)])
@pytest.mark.parametrize("lam", [0.25, 0.75, 0.0, 1.0, [0.25, 0.75, 0.0, 1.0]])
@pytest.mark.parametrize("infinite", INFINITE)
def test_infinities_are_mixed_as_the_formula_has_them(
    dtype: torch.dtype, way: str, lam: float | list[float], infinite: float
) -> None:
    rows = [[infinite, infinite, 1.0], [infinite, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, infinite, 0.0]]
    h = torch.tensor(rows, dtype=dtype).requires_grad_()
    perm = torch.tensor([1, 2, 3, 0])
    expected = torch.empty(4, 3, dtype=torch.float64)
    for i, j in enumerate(perm.tolist()):
        own = lam if isinstance(lam, float) else lam[i]
        for k in range(3):
            parts = [w * v for w, v in ((own, rows[i][k]), (1 - own, rows[j][k])) if w]
            expected[i, k] = sum(parts)
    weight = lam if isinstance(lam, float) and way == "plain" else torch.as_tensor(lam)
    if way == "vmap":
        got = torch.vmap(mix)(h[None], weight[None], perm[None])[0]  # type: ignore[index]
    elif way == "compiled":
        torch._dynamo.reset()
        got = torch.compile(mix, backend="eager", fullgraph=True)(h, weight, perm)
    else:
        got = mix(h, weight, perm)
    assert_close(got.detach().double(), expected, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
@pytest.mark.parametrize("way", ["plain", "vmap"])
@pytest.mark.parametrize("lam", [0.25, 0.0, 1.0, [0.25, 0.75, 0.0, 1.0]])
@pytest.mark.parametrize("infinite", INFINITE)
def test_parts_of_complex_numbers_are_mixed_each_by_itself(
    dtype: torch.dtype, way: str, lam: float | list[float], infinite: float
) -> None:
    real = torch.tensor([[infinite, infinite], [infinite, 1.0], [2.0, 3.0], [4.0, infinite]])
    imaginary = torch.tensor([[1.0, infinite], [2.0, 3.0], [infinite, infinite], [4.0, infinite]])
    h, perm = torch.complex(real, imaginary).to(dtype), torch.tensor([1, 2, 3, 0])
    weight = lam if isinstance(lam, float) and way == "plain" else torch.as_tensor(lam)
    if way == "vmap":
        mixed = torch.vmap(mix)(h[None], weight[None], perm[None])[0]  # type: ignore[index]
    else:
        mixed = mix(h, weight, perm)
    assert mixed.dtype == dtype
    assert_close(mixed.real, mix(real.to(mixed.real.dtype), weight, perm))
    assert_close(mixed.imag, mix(imaginary.to(mixed.real.dtype), weight, perm))
    turned = mix(h.T, weight, perm, batch_dim=1) if way == "plain" else mixed.T
    assert_close(turned, mixed.T)


def test_what_is_no_number_stays_so() -> None:
    h = torch.tensor([[torch.nan, 1.0], [-torch.inf, torch.inf]])
    mixed = mix(h, 0.5, torch.tensor([1, 0]))
    assert mixed.isnan().tolist() == [[True, False], [True, False]]
    opposite = torch.tensor([[-torch.inf], [torch.inf]])
    assert mix(opposite, 0.5, torch.tensor([1, 0])).isnan().all()


def test_gradients_beside_infinities_are_those_of_the_formula() -> None:
    h = torch.tensor([[-torch.inf, 1.0], [-torch.inf, 2.0]], dtype=torch.float64)
    h.requires_grad_()
    perm = torch.tensor([1, 0])
    (gradient,) = torch.autograd.grad(mix(h, 0.25, perm).softmax(1)[:, 1].sum(), h)
    assert_close(gradient, torch.zeros_like(gradient))
    (gradient,) = torch.autograd.grad(mix(h, 0.25, perm)[0, 1], h)
    assert_close(gradient, torch.tensor([[0.0, 0.25], [0.0, 0.75]], dtype=torch.float64))
