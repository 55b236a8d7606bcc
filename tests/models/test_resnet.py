"""The residual net against torchvision's, and against its formula."""

from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixup.models.resnet import PreActBlock, ResNet18
from tests.models.mixed import check_gradients_and_eval, mixed_by_hand, output_mixed_at


def images(n: int = 4, channels: int = 2, size: int = 8) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, channels, size, size, dtype=torch.float64, generator=generator)


@pytest.fixture
def net() -> ResNet18:
    torch.manual_seed(0)
    return ResNet18((2, 8, 8), 3, width=4).double()


# The formula


def normed(h: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    """relu(norm(h)) in eval mode, written out."""
    mean, var, scale, shift = (
        weights[f"{name}.{part}"].view(-1, 1, 1)
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return ((h - mean) / (var + 1e-5).sqrt() * scale + shift).clamp(min=0)


@pytest.mark.parametrize(("channels_in", "stride"), [(4, 1), (4, 2), (2, 1)])
def test_a_block_equals_its_formula(channels_in: int, stride: int) -> None:
    torch.manual_seed(0)
    block = PreActBlock(channels_in, 4, stride).double()
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_var):
                tensor.uniform_(0.5, 1.5)
            module.running_mean.uniform_(-1, 1)
    weights, x = block.state_dict(), images(channels=channels_in)
    active = normed(x, weights, "bn1")
    inner = F.conv2d(active, weights["conv1.weight"], stride=stride, padding=1)
    inner = F.conv2d(normed(inner, weights, "bn2"), weights["conv2.weight"], padding=1)
    shortcut = x
    if (channels_in, stride) != (4, 1):
        shortcut = F.conv2d(active, weights["downsample.0.weight"], stride=stride)
    torch.testing.assert_close(block.eval()(x), shortcut + inner)


def test_the_whole_is_its_layers_in_order(net: ResNet18) -> None:
    h = net.eval().conv1(images())
    for k in range(1, 5):
        for block in net.get_submodule(f"layer{k}"):
            h = block(h)
    features = normed(h, net.state_dict(), "bn").flatten(2).mean(2)
    expected = features @ net.fc.weight.T + net.fc.bias
    torch.testing.assert_close(net(images()), expected)


def test_layers_halve_the_image_and_double_the_channels(net: ResNet18) -> None:
    h = net.conv1(images(size=32))
    assert h.shape == (4, 4, 32, 32)
    for k, layer in enumerate((net.layer1, net.layer2, net.layer3, net.layer4)):
        h = layer(h)
        assert h.shape == (4, 4 * 2**k, 32 // 2**k, 32 // 2**k)


def test_it_has_the_paper_nets_number_of_parameters() -> None:
    # Stem; two 3x3 convolutions a block; 1x1 shortcuts; norms, one before each 3x3; classifier.
    channels = [64, 128, 256, 512]
    stem = 3 * 64 * 9
    first = sum((c_in + c) * c * 9 for c_in, c in zip([64, *channels], channels, strict=False))
    second = sum(2 * c * c * 9 for c in channels)
    shortcuts = 64 * 128 + 128 * 256 + 256 * 512
    norms = 2 * sum(c_in + 3 * c for c_in, c in zip([64, *channels], channels, strict=False))
    expected = stem + first + second + shortcuts + norms + 2 * 512 + 512 * 10 + 10
    net = ResNet18((3, 32, 32), 10)
    assert sum(weight.numel() for weight in net.parameters()) == expected == 11_172_170


# torchvision's, which is of the same convolutions, with norm and ReLU after them


@pytest.fixture
def torchvision_resnet() -> ModuleType:
    try:
        from torchvision.models import resnet
    except (ImportError, RuntimeError) as error:  # RuntimeError: built for another torch
        pytest.skip(f"torchvision is not there: {error}")
    return resnet


@pytest.mark.slow
def test_its_convolutions_are_those_of_torchvision(torchvision_resnet: ModuleType) -> None:
    theirs, mine = (
        {
            name: (one.weight.shape, one.stride, one.padding, one.bias)
            for name, one in net.named_modules()
            if isinstance(one, nn.Conv2d) and name != "conv1"
        }
        for net in (torchvision_resnet.resnet18(num_classes=10), ResNet18((3, 32, 32), 10))
    )
    assert mine == theirs
    assert len(mine) == 19


@pytest.mark.slow
def test_states_are_those_of_torchvision_where_nothing_is_negative(
    torchvision_resnet: ModuleType,
) -> None:
    """Without effect of norm and ReLU, their places do not matter."""
    theirs = torchvision_resnet.resnet18(num_classes=10)
    mine = ResNet18((3, 32, 32), 10)
    theirs.conv1, theirs.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    for net in (mine.double().eval(), theirs.double().eval()):
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 0.0
    for weight in theirs.parameters():
        if weight.ndim > 1:
            weight.data.abs_()
    convolutions = {k: w for k, w in theirs.state_dict().items() if w.ndim > 1 or k == "fc.bias"}
    missing, unexpected = mine.load_state_dict(convolutions, strict=False)
    assert not unexpected
    assert all("bn" in name for name in missing)
    x = images(2, 3, 16).abs()
    h, g = mine.conv1(x), theirs.conv1(x)
    for k in range(1, 5):
        h, g = mine.get_submodule(f"layer{k}")(h), theirs.get_submodule(f"layer{k}")(g)
        torch.testing.assert_close(h, g)
    torch.testing.assert_close(mine(x), theirs(x))


# Mixing


@pytest.mark.parametrize("k", range(5))
def test_mixing_after_layer_k_equals_the_split_forward_pass(net: ResNet18, k: int) -> None:
    layers = [nn.Identity(), *(net.get_submodule(f"layer{i}") for i in range(1, 5))]
    state = images() if k == 0 else nn.Sequential(net.conv1, *layers[1 : k + 1])(images())
    rest = nn.Sequential(*([net.conv1] if k == 0 else []), *layers[k + 1 :], net.bn)
    expected = net.fc(rest.train()(mixed_by_hand(state)).clamp(min=0).mean((2, 3)))
    mixed = output_mixed_at(net, "input" if k == 0 else f"layer{k}", images())
    torch.testing.assert_close(mixed, expected)


def test_gradients_and_eval(net: ResNet18) -> None:
    check_gradients_and_eval(net, images(), 3)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shape must be \(C, H, W\), an image, got \(32, 32\)"):
        ResNet18((32, 32), 10)
