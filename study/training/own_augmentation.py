"""The user's own augmentation of training inputs."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from study.errors import StudyError
from study.seeds import Purpose, seed_sequence
from study.training.own_code import load_function
from study.training.run_config import RunConfig

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
