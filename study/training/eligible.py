"""The layers of a net where mixing may enter, found and tried before any training."""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import nn

from mixup.mixing.manifold import ManifoldMixup
from mixup.mixing.plan import MixPlan
from study.errors import StudyError
from study.params import shown
from study.training.own_code import one_line


def find_eligible(
    net: nn.Module, eligible: Sequence[str], shape: Sequence[int], key: str = "eligible"
) -> tuple[str, ...]:
    """Find the layers that ``eligible`` names, and mix once at each, in a copy of the net.

    Args:
        net: any module.
        eligible: names, patterns and "input", as `ManifoldMixup` takes them.
        shape: of one input, (F,) or (C, H, W).
        key: the full key of params.yaml that says so, for the error.

    Returns:
        The names of the layers.

    Raises:
        StudyError: no layer is named so, and what layers there are; or the net does not run one of
            them once, or its state cannot be mixed.
    """
    try:
        mixer = ManifoldMixup(deepcopy(net).train(), list(eligible), alpha=1.0, seed=0)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            for layer in mixer.layers:
                mixer(torch.zeros(2, *shape), plan=MixPlan(layer, 0.5, torch.tensor([1, 0])))
    except Exception as error:
        said = one_line(error, 2000)  # it lists the layers
        raise StudyError(f"{key} cannot be {shown(list(eligible))}: {said}") from error
    return mixer.layers
