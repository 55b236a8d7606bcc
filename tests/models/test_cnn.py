"""The convolutional net against its formula, by torch's functions."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mixup.models.cnn import CNN
from tests.models.mixed import check_gradients_and_eval, mixed_by_hand, output_mixed_at


@pytest.fixture
def net() -> CNN:
    torch.manual_seed(0)
    return CNN((2, 8, 8), 3, width=4).double()


def images(n: int = 4, size: int = 8) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, 2, size, size, dtype=torch.float64, generator=generator)


def from_block(net: CNN, h: Tensor, start: int) -> Tensor:
    """Blocks after the first ``start`` and the classifier, in training mode, written out."""
    weights = net.state_dict()
    for k in range(start, 3):
        h = F.conv2d(h, weights[f"blocks.{k}.0.weight"], padding=1)
        centred = h - h.mean((0, 2, 3), keepdim=True)
        h = centred / (centred.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
        h = h.clamp(min=0)
        if k < 2:
            h = h.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))
    return h.flatten(2).mean(2) @ weights["classifier.weight"].T + weights["classifier.bias"]


def test_logits_equal_the_formula(net: CNN) -> None:
    torch.testing.assert_close(net.train()(images()), from_block(net, images(), 0))


@pytest.mark.parametrize("k", range(4))
def test_mixing_after_block_k_equals_the_formula(net: CNN, k: int) -> None:
    layer = "input" if k == 0 else f"blocks.{k - 1}"
    state = net.train().blocks[:k](images())
    expected = from_block(net, mixed_by_hand(state), k)
    torch.testing.assert_close(output_mixed_at(net, layer, images()), expected)


def test_gradients_and_eval(net: CNN) -> None:
    check_gradients_and_eval(net, images(), 3)


@pytest.mark.parametrize(("size", "left"), [(4, 1), (8, 2), (28, 7), (33, 8)])
def test_images_of_all_sizes(net: CNN, size: int, left: int) -> None:
    assert net.blocks(images(2, size)).shape == (2, 16, left, left)
    assert net(images(2, size)).shape == (2, 3)


def test_dropout_is_on_the_features_and_keeps_the_weights_names(net: CNN) -> None:
    dropped = CNN((2, 8, 8), 3, width=4, dropout=0.5).double()
    dropped.load_state_dict(net.state_dict())
    torch.manual_seed(0)
    torch.testing.assert_close(dropped.eval()(images()), net.eval()(images()))
    assert not torch.equal(dropped.train()(images()), net.train()(images()))


@pytest.mark.parametrize("shape", [(8, 8), (64,), (1, 3, 8), (0, 8, 8), (1, 1, 8, 8)])
def test_what_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(C, H, W\), an image of at least 4 x 4 pixels, got"):
        CNN(shape, 2)
