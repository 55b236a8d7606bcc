"""The user's own net: built by a function of theirs, and tried before any training."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from study.errors import StudyError
from study.training.own_code import load_function, told


def build_own_net(
    spec: str, shape: Sequence[int], n_outputs: int, folder: Path = Path()
) -> nn.Module:
    """Build a net by ``build(shape, n_outputs)``, and run it once, on two inputs of zeros.

    Args:
        spec: "FILE.py:FUNCTION" of the function.
        shape: of one input, (F,) or (C, H, W).
        n_outputs: number of logits: C for C classes, L for L labels.
        folder: the study's.

    Returns:
        The net, in the mode that the function gave it.

    Raises:
        StudyError: the function or the net raises, or does not return what it must.

    Randomness: torch's global generator, in the function.
    """
    net = load_function(spec, folder)(tuple(shape), n_outputs)
    if not isinstance(net, nn.Module):
        raise StudyError(f"{spec} must return a torch.nn.Module, got {_what(net)}")
    output = _output_of_zeros(net, spec, shape, folder)
    if not isinstance(output, Tensor) or not output.is_floating_point():
        raise StudyError(f"the net of {spec} must return a tensor of logits, got {_what(output)}")
    if output.shape != (2, n_outputs):
        raise StudyError(
            f"the net of {spec} must return logits of shape (N, {n_outputs}), got "
            f"{tuple(output.shape)} for N = 2 inputs"
        )
    if not any(weight.requires_grad for weight in net.parameters()):
        raise StudyError(f"the net of {spec} has no parameters to train")
    return net


@torch.no_grad()
def _output_of_zeros(net: nn.Module, spec: str, shape: Sequence[int], folder: Path) -> object:
    """Run the net in eval mode, and leave its modes and torch's generator as they were."""
    modes = {module: module.training for module in net.modules()}
    x = torch.zeros(2, *shape)
    with torch.random.fork_rng(devices=[]), told(f"the net of {spec}", folder):
        output: object = net.eval()(x)
    for module, training in modes.items():
        module.training = training
    return output


def _what(value: object) -> str:
    if isinstance(value, Tensor):
        return f"one of {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"a {type(value).__name__}"
