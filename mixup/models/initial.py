"""Initial weights of another framework."""

from typing import TypeVar

from torch import nn

Net = TypeVar("Net", bound=nn.Module)


def keras_(net: Net) -> Net:
    """Draw the initial weights of all linear and convolutional layers as Keras does, in place.

    ``W ~ U(-b, b)`` with ``b = sqrt(6 / (fan_in + fan_out))``, and biases 0; a fan is the number of
    input or output channels times the pixels of the kernel. Other layers stay as they are.

    Source: Glorot and Bengio 2010, equation 16; the default of Keras' ``Dense`` and ``Conv``. Those
    of PyTorch are ``U(-c, c)`` with ``c = 1 / sqrt(fan_in)`` for weights and biases.

    Returns:
        ``net`` itself.

    Randomness: torch's global generator, in the order of ``net.modules()``.

    Example:
        >>> layer = keras_(nn.Linear(4, 2))
        >>> layer.bias.tolist(), bool((layer.weight.abs() <= 1).all())
        ([0.0, 0.0], True)
    """
    for module in net.modules():
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return net
