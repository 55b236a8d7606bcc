"""The residual network of the papers on mixup, for small images."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from mixup.models.images import check_image


class ResNet18(nn.Module):
    """Pre-activation ResNet-18 for images of about 32 x 32 pixels.

    A 3x3 convolution without max pooling; four layers of two blocks each, with W, 2W, 4W and 8W
    channels, of which all but the first halve the image; norm and ReLU; the mean over the pixels; a
    linear classifier. Norm and ReLU stand before each convolution.

    Source: He et al. 2016, "Identity mappings in deep residual networks" (arXiv 1603.05027), in the
    size for CIFAR that Verma et al. 2019 (arXiv 1806.05236, section 5.1) train as PreActResNet18;
    here with the last norm and ReLU of He et al. The convolutions have the names and shapes of
    torchvision's ``resnet18``, except for the first. Weights start as PyTorch's layers have them.

    Args:
        shape: (C, H, W) of an image.
        n_outputs: number of logits.
        width: W, channels of the first layer; 64 in the papers.

    Raises:
        ValueError: ``shape`` is no image.

    Randomness: initial weights use torch's global generator.

    Layers to mix at: "input", "layer1", ..., "layer4"; the paper mixes at "input", "layer1" and
    "layer2".

    Example:
        >>> import torch
        >>> ResNet18((3, 8, 8), 10, width=4)(torch.zeros(2, 3, 8, 8)).shape
        torch.Size([2, 10])
    """

    def __init__(self, shape: Sequence[int], n_outputs: int, *, width: int = 64) -> None:
        super().__init__()
        self.conv1 = _conv3x3(check_image(shape), width)
        self.layer1 = _layer(width, width, stride=1)
        self.layer2 = _layer(width, 2 * width, stride=2)
        self.layer3 = _layer(2 * width, 4 * width, stride=2)
        self.layer4 = _layer(4 * width, 8 * width, stride=2)
        self.bn = nn.BatchNorm2d(8 * width)
        self.fc = nn.Linear(8 * width, n_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Compute (N, n_outputs) logits of (N, C, H, W) images."""
        state = self.conv1(x)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            state = layer(state)
        logits: Tensor = self.fc(F.relu(self.bn(state)).mean((2, 3)))
        return logits


class PreActBlock(nn.Module):
    """``shortcut(x) + conv2(relu(bn2(conv1(relu(bn1(x))))))``, where the shortcut is x.

    Where the block changes the shape, the shortcut is a 1x1 convolution of ``relu(bn1(x))``.

    Source: He et al. 2016 (arXiv 1603.05027), figure 4 (e).
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels_in)
        self.conv1 = _conv3x3(channels_in, channels, stride)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv2 = _conv3x3(channels, channels)
        self.downsample = (
            nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False))
            if stride != 1 or channels_in != channels
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Compute the (N, channels, H / stride, W / stride) state after (N, channels_in, H, W)."""
        active = F.relu(self.bn1(x))
        shortcut: Tensor = x if self.downsample is None else self.downsample(active)
        state: Tensor = self.conv2(F.relu(self.bn2(self.conv1(active))))
        return shortcut + state


def _layer(channels_in: int, channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        PreActBlock(channels_in, channels, stride), PreActBlock(channels, channels, stride=1)
    )


def _conv3x3(channels_in: int, channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
