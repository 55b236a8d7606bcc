"""One part of what a layer returns."""

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mixup import ManifoldMixup
from tests.mixing.four import Timed, mixed, plan


@pytest.fixture
def x() -> Tensor:
    return torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


class Tuple(nn.Module):
    """Returns a state, something that is no sample's (a bias), and ids."""

    def __init__(self) -> None:
        super().__init__()
        self.body = Timed()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.body(x)
        return h, torch.ones(1, 3, dtype=h.dtype), torch.arange(len(x))


@pytest.mark.parametrize("kind", ["tuple", "dict"])
def test_one_part_of_what_a_layer_returns(x: Tensor, kind: str) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = Tuple()

        def forward(self, x: Tensor) -> tuple[Tensor, ...]:
            return self.block(x)

    class Named(Tuple):
        def forward(self, x: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
            return dict(zip(("h", "bias", "ids"), super().forward(x), strict=True))

    model, part = Model(), "0"
    if kind == "dict":
        model.block, part = Named(), "h"
    expected = mixed(model.block.body(x))
    mixer = ManifoldMixup(model, [f"bl*:{part}"], 1.0)
    assert mixer.layers == (f"block:{part}",)
    output, _ = mixer(x, plan=plan(f"block:{part}"))
    h, bias, ids = output.values() if isinstance(output, dict) else output
    assert_close(h, expected)
    assert bias.shape == (1, 3)
    assert ids.tolist() == [0, 1, 2, 3]
    with pytest.raises(TypeError, match=rf"at 'block:7': no part '7', but a {kind} of "):
        ManifoldMixup(model, ["block:7"], 1.0)(x, plan=plan("block:7"))


@pytest.mark.parametrize(
    ("layer", "found"),
    [("block:h", "tuple of 3 items"), ("block:-1", "tuple of 3 items"), ("block.body:0", "Tensor")],
)
def test_what_a_layer_returns_has_no_such_part(x: Tensor, layer: str, found: str) -> None:
    model = nn.Sequential()
    model.block = Tuple()
    with pytest.raises(TypeError, match=f"at '{layer}': no part '.*', but a {found}"):
        ManifoldMixup(model, [layer], 1.0)(x, plan=plan(layer))
