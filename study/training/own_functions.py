"""The user's own net and augmentation: made by functions of theirs, tried before any training."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from study.errors import StudyError
from study.seeds import Purpose, seed_sequence
from study.training.experiment import RunConfig
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


Augmentation = Callable[[Tensor, torch.Generator], Tensor]


def augmentation_for(
    config: RunConfig, shape: Sequence[int]
) -> Callable[[Tensor, int], Tensor] | None:
    """Give what changes the inputs of a step, if anything does.

    Args:
        config: the run.
        shape: of one input, (F,) or (C, H, W).

    Returns:
        A function of (B, ...) inputs and the step, which returns inputs of that shape.

    Raises:
        StudyError: as of `load_augmentation`.

    Randomness: a generator of the run's seed, `Purpose.AUGMENTATION`, and the step; so that
    methods share it, and a run that continues draws what it would have drawn.
    """
    if not config.training.augment:
        return None
    augment = load_augmentation(config.training.augment, shape)
    generator = torch.Generator(config.device)
    start = int(seed_sequence(config.seed, Purpose.AUGMENTATION).generate_state(1)[0])
    return lambda x, step: augment(x, generator.manual_seed(start + step))


def load_augmentation(spec: str, shape: Sequence[int], folder: Path = Path()) -> Augmentation:
    """Load ``augment(x, generator)``, and try it on two inputs of zeros.

    Args:
        spec: "FILE.py:FUNCTION" of the function, which returns a new tensor like x, a batch of
            float32 inputs, and draws from nothing but the generator.
        shape: of one input, (F,) or (C, H, W).
        folder: the study's.

    Raises:
        StudyError: the function raises, returns something else than a tensor like x, changes x
            in place, or draws from torch's global generator.
    """
    augment: Augmentation = load_function(spec, folder)
    x = torch.zeros(2, *shape)
    before, version = torch.get_rng_state(), x._version
    changed = augment(x, torch.Generator().manual_seed(0))
    drawn = not torch.equal(torch.get_rng_state(), before)
    torch.set_rng_state(before)
    if not isinstance(changed, Tensor) or (changed.shape, changed.dtype) != (x.shape, x.dtype):
        found = type(changed).__name__
        if isinstance(changed, Tensor):
            found = f"{str(changed.dtype).removeprefix('torch.')} of shape {tuple(changed.shape)}"
        raise StudyError(
            f"{spec} must return a tensor like its input, float32 of shape {tuple(x.shape)}, "
            f"got {found}"
        )
    if x._version != version:
        raise StudyError(f"{spec} changes its input in place: let it change `x.clone()`")
    if drawn:
        raise StudyError(
            f"{spec} draws from torch's global generator: let it use the generator it is given, "
            "as in `torch.rand(n, generator=generator)`"
        )
    return augment
