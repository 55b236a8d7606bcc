"""One's own augmentation of training batches."""

from collections.abc import Callable

import torch
from torch import Tensor

from study.seeds import Purpose, seed_sequence
from study.training.own_code import load_function
from study.training.run_config import RunConfig


def augmentation_for(config: RunConfig) -> Callable[[Tensor, int], Tensor] | None:
    """Give what changes the inputs of a step, if anything does.

    Returns:
        A function of (B, ...) inputs and the step, which returns inputs of that shape.

    Raises:
        StudyError: the function cannot be had.

    Randomness: a generator of the run's seed, `Purpose.AUGMENTATION`, and the step; so that
    methods share it, and a run that continues draws what it would have drawn.
    """
    if not config.training.augment:
        return None
    augment = load_function(config.training.augment)
    generator = torch.Generator(config.device)
    start = int(seed_sequence(config.seed, Purpose.AUGMENTATION).generate_state(1)[0])

    def augmented(x: Tensor, step: int) -> Tensor:
        generator.manual_seed(start + step)
        changed: Tensor = augment(x, generator)
        return changed

    return augmented
