"""Seed torch's global generator."""

import numpy as np
import torch

from study.seeds import Purpose, seed_sequence


def seed_torch(seed: int, purpose: Purpose) -> None:
    """Seed torch's global generator, which initial weights and dropout draw from."""
    torch.manual_seed(int(seed_sequence(seed, purpose).generate_state(1, np.uint64)[0] >> 1))
