"""Where randomness comes from: one generator a purpose, derived from a run's seed."""

from enum import IntEnum

import numpy as np
import torch


class Purpose(IntEnum):
    """What a generator of a run is for; each purpose has a stream of its own.

    Methods are paired by seed: the split, the initial weights and the batches of a seed are the
    same whatever the method draws for mixing or dropout.
    """

    SPLIT = 0
    WEIGHTS = 1
    BATCHES = 2
    MIXING = 3
    DROPOUT = 4


def seed_sequence(seed: int, purpose: Purpose) -> np.random.SeedSequence:
    """Derive the seed of one purpose's generator from the run's seed."""
    return np.random.SeedSequence([seed, purpose])


def seed_torch(seed: int, purpose: Purpose) -> None:
    """Seed torch's global generator, which initial weights and dropout draw from."""
    torch.manual_seed(int(seed_sequence(seed, purpose).generate_state(1, np.uint64)[0] >> 1))
