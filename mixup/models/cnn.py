"""A small convolutional network for small images."""

from collections.abc import Sequence

from torch import Tensor, nn

from mixup.models.images import check_image


class CNN(nn.Module):
    """Three convolutional blocks, the mean over the pixels, and a linear classifier.

    ``h_k = pool(relu(norm(conv3x3(h_{k-1}))))`` with W, 2W and 4W channels; the first two blocks
    halve the image by max pooling. Any image of 4 x 4 pixels or more will do.

    Source: the plain pattern of VGG (arXiv 1409.1556), with batch normalisation, and a global mean
    (arXiv 1312.4400) in place of wide linear layers. Weights start as PyTorch's layers have them.

    Args:
        shape: (C, H, W) of an image, H and W at least 4.
        n_outputs: number of logits.
        width: W, channels of the first block.
        dropout: probability of dropping a feature before the classifier, in [0, 1).

    Raises:
        ValueError: ``shape`` is no such image.

    Randomness: initial weights and dropout use torch's global generator.

    Layers to mix at: "input", "blocks.0", "blocks.1", "blocks.2".

    Example:
        >>> import torch
        >>> CNN((1, 8, 8), 10, width=4)(torch.zeros(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    def __init__(
        self, shape: Sequence[int], n_outputs: int, *, width: int = 32, dropout: float = 0.0
    ) -> None:
        super().__init__()
        channels = [check_image(shape, smallest=4), width, 2 * width, 4 * width]
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(channels[k], channels[k + 1], 3, padding=1, bias=False),
                    nn.BatchNorm2d(channels[k + 1]),
                    nn.ReLU(),
                    *([nn.MaxPool2d(2)] if k < 2 else []),
                )
                for k in range(3)
            )
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(channels[-1], n_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Compute (N, n_outputs) logits of (N, C, H, W) images."""
        features = self.blocks(x).mean((2, 3))
        logits: Tensor = self.classifier(self.dropout(features))
        return logits
