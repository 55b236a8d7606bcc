"""Input mixup and Manifold Mixup in PyTorch.

What draws at random says from which generator, under "Randomness:"; everything else is a function
of its arguments.
"""

from mixup.mixing.entropy import entropy_floor
from mixup.mixing.formula import mix
from mixup.mixing.manifold import ManifoldMixup
from mixup.mixing.plan import MixPlan
from mixup.models.mlp import MLP

__all__ = ["MLP", "ManifoldMixup", "MixPlan", "entropy_floor", "mix"]
