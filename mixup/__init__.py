"""Input mixup and Manifold Mixup in PyTorch, and the study of what they do.

What draws at random says from which generator, under "Randomness:"; everything else is a function
of its arguments.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from mixup.mixing.entropy import entropy_floor
    from mixup.mixing.formula import mix
    from mixup.mixing.manifold import ManifoldMixup
    from mixup.mixing.plan import MixPlan
    from mixup.models.mlp import MLP

_HOMES = {
    "MLP": "mixup.models.mlp",
    "ManifoldMixup": "mixup.mixing.manifold",
    "MixPlan": "mixup.mixing.plan",
    "entropy_floor": "mixup.mixing.entropy",
    "mix": "mixup.mixing.formula",
}
__all__ = ["MLP", "ManifoldMixup", "MixPlan", "entropy_floor", "mix"]


def __getattr__(name: str) -> object:
    # Lazy, so that a stage that only makes data or tables does not pay for importing torch.
    if name in _HOMES:
        return getattr(_import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
