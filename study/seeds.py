"""Where randomness comes from: one generator a purpose, derived from a run's seed."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a generator of a run is for; each purpose has a stream of its own.

    Methods are paired by seed: the split, the initial weights and the batches of a seed are the
    same whatever the method draws for mixing or dropout.
    """

    # Not 0: SeedSequence([seed, 0]) is the stream of default_rng(seed).
    SPLIT = 1
    WEIGHTS = 2
    BATCHES = 3
    MIXING = 4
    DROPOUT = 5
    AUGMENTATION = 6
    PAIRS = 7
    DEFORMATIONS = 8
    BLOCKS = 9
    DATA = 10


def seed_sequence(seed: int, purpose: Purpose) -> np.random.SeedSequence:
    """Derive the seed of one purpose's generator from the run's seed."""
    return np.random.SeedSequence([seed, purpose])
