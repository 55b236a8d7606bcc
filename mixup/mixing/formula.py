"""The formula of mixup, over tensors and over structures of them."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import count
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from mixup.mixing.checks import GIVE_TENSORS


def mix(h: Any, lam: float | Tensor, perm: Tensor, *, batch_dim: int = 0) -> Any:
    """Mix each sample with its partner.

    ``mixed[i] = lam[i] * h[i] + (1 - lam[i]) * h[perm[i]]``, with one ``lam`` for all samples or
    one each. ``lam`` is the weight of the original sample and is never folded. What is infinite in
    one of the two, and has a weight, is so in the mixture.

    Source: Zhang et al. 2018 (arXiv 1710.09412), section 2; Verma et al. 2019 (arXiv 1806.05236),
    section 2, for hidden states.

    Args:
        h: floating-point or complex tensor of any rank with N entries along ``batch_dim``, or a
            tuple, list, dict or dataclass of such tensors, nested as you like, or a packed
            sequence, which keeps its lengths. It is not changed. None, numbers and strings in it
            are passed on.
        lam: weight of the original sample, in [0, 1]; a float, or a tensor of shape () or (N,).
        perm: int64 (N,), the partner of each sample.
        batch_dim: the dimension of N.

    Returns:
        The mixed ``h``, with its structure, shapes, dtypes and devices.

    Raises:
        TypeError: a tensor is of integers or booleans, or ``h`` holds something else.
        ValueError: a tensor does not have N entries along ``batch_dim``, or ``lam`` has a shape
            other than () and (N,).

    Example:
        >>> mix(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), 0.75, torch.tensor([1, 0]))
        tensor([[0.7500, 0.2500],
                [0.2500, 0.7500]])
    """
    return map_tensors(lambda tensor: _mix_tensor(tensor, lam, perm, batch_dim), h, batch_dim)


def mix_finite(h: Tensor, lam: float | Tensor, perm: Tensor) -> Tensor:
    """Mix a tensor without infinities, such as targets, and do not look for any; see `mix`."""
    return _mix_tensor(h, lam, perm, 0, finite=True)


def _mix_tensor(
    h: Tensor, lam: float | Tensor, perm: Tensor, batch_dim: int, *, finite: bool = False
) -> Tensor:
    if not (h.is_floating_point() or h.is_complex()):
        raise TypeError(f"cannot mix a tensor of {h.dtype}: there is nothing between its values")
    n = perm.shape[0]
    if h.ndim <= batch_dim or h.shape[batch_dim] != n:
        raise ValueError(
            f"cannot mix a tensor of shape {tuple(h.shape)} for a batch of {n}: "
            f"dimension {batch_dim} is not the batch; see batch_dim"
        )
    if h.is_complex():  # a product of two would make no number of what is infinite in one part
        parts = (
            _mix_tensor(part, lam, perm, batch_dim, finite=finite) for part in (h.real, h.imag)
        )
        return torch.complex(*parts)
    perm = perm.to(h.device)
    # lerp costs half of two products and a sum, and leaves a sample mixed with itself as it is.
    partner = _gather(h, perm, batch_dim)
    if not isinstance(lam, Tensor):
        mixed = partner.lerp_(h, lam)
        return mixed if finite else _mend(mixed, h, lam, perm, batch_dim)
    if lam.ndim and lam.shape != (n,):
        raise ValueError(f"lam has shape {tuple(lam.shape)} for a batch of {n}: give () or ({n},)")
    # A tensor as weight is rounded to the dtype of h, which in half precision is too coarse.
    dtype = torch.promote_types(h.dtype, torch.float32)
    weight = lam.to(dtype).to(h.device)
    if lam.ndim:
        weight = weight.view([n if dim == batch_dim else 1 for dim in range(h.ndim)])
    mixed = torch.lerp(partner.to(dtype), h.to(dtype), weight).to(h.dtype)
    return _mend(mixed, h, weight, perm, batch_dim)


def _mend(mixed: Tensor, h: Tensor, lam: float | Tensor, perm: Tensor, batch_dim: int) -> Tensor:
    """Put infinities where the formula has them, and the difference of two left no number."""
    if h.is_cpu and not _is_transformed(h) and math.isfinite(mixed.detach().sum()):
        return mixed  # as nearly always; elsewhere, to look would be to wait
    with torch.no_grad():
        own, partner = h.detach(), _gather(h.detach(), perm, batch_dim)
        # 0 * inf is no number, but of a sample of weight 0 nothing is left.
        zero = torch.zeros((), dtype=h.dtype, device=h.device)
        if isinstance(lam, Tensor):
            own, partner = torch.where(lam == 0, zero, own), torch.where(lam == 1, zero, partner)
        else:
            own, partner = zero if lam == 0 else own, zero if lam == 1 else partner
        sums = own + partner
        is_wrong = mixed.isnan() & ~sums.isnan()
    return torch.where(is_wrong, sums, mixed)


def _is_transformed(h: Tensor) -> bool:
    """Whether a value cannot be looked at: in `torch.compile`, or in a transform such as vmap."""
    return torch.compiler.is_compiling() or torch._C._functorch.is_functorch_wrapped_tensor(h)


def _gather(h: Tensor, perm: Tensor, batch_dim: int) -> Tensor:
    # index_select is the faster of the two, but forgets channels_last.
    keep_layout = batch_dim == 0 and not h.is_contiguous()
    return h[perm] if keep_layout else h.index_select(batch_dim, perm)


def add_noise(h: Any, std: float, seed: int | Tensor) -> Any:
    """Add Gaussian noise to every tensor of ``h``: ``h + std * N(0, 1)``.

    Args:
        h: as in `mix`.
        std: standard deviation, >= 0, in units of ``h``.
        seed: of the noise, an int or int64 tensor of shape (); the same seed, shapes and device
            give the same noise.

    Returns:
        The noisy ``h``.

    Randomness: a generator of its own, made from ``seed``.
    """
    seeds = count()

    def noisy(tensor: Tensor) -> Tensor:
        own = torch.as_tensor(seed) + next(seeds)
        noise = _noise_op if torch.compiler.is_compiling() else _noise
        return tensor + std * noise(tensor.detach(), own)

    return map_tensors(noisy, h)


def _noise(like: Tensor, seed: Tensor) -> Tensor:
    generator = torch.Generator(like.device).manual_seed(int(seed))
    return torch.randn(like.shape, dtype=like.dtype, device=like.device, generator=generator)


# To a compiler a single operation: it knows no generators. Called elsewhere, it would import one.
_noise_op = torch.library.custom_op("mixup::noise", _noise, mutates_args=())


@_noise_op.register_fake
def _(like: Tensor, seed: Tensor) -> Tensor:
    return torch.empty(like.shape, dtype=like.dtype, device=like.device)


def map_tensors(function: Callable[[Tensor], Tensor], tree: Any, batch_dim: int = 0) -> Any:
    """Apply ``function`` to every tensor of a nested structure, and keep the structure.

    A packed sequence is unpacked for it, its batch at ``batch_dim``.
    """
    if isinstance(tree, Tensor):
        return function(tree)
    if isinstance(tree, PackedSequence):
        padded, lengths = pad_packed_sequence(tree, batch_first=batch_dim == 0)
        changed = function(padded)
        return pack_padded_sequence(changed, lengths, batch_dim == 0, enforce_sorted=False)
    if isinstance(tree, Mapping):
        mapped: Any = copy.copy(tree)  # keeps subclasses, such as a transformers ModelOutput
        for key, item in tree.items():
            mapped[key] = map_tensors(function, item, batch_dim)
        return mapped
    if isinstance(tree, tuple | list):
        items = [map_tensors(function, item, batch_dim) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    if is_dataclass(tree) and not isinstance(tree, type):
        mapped = copy.copy(tree)
        for field in fields(tree):
            item = map_tensors(function, getattr(tree, field.name), batch_dim)
            object.__setattr__(mapped, field.name, item)
        return mapped
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    is_array = hasattr(tree, "__array__")
    advice = (
        GIVE_TENSORS if is_array else "mix at a layer whose state is one, or at one of its parts"
    )
    raise TypeError(
        f"cannot mix a {type(tree).__name__}: a state must be a tensor, or a tuple, list, dict or "
        f"dataclass of tensors; {advice}"
    )


def tensors_of(tree: Any) -> Iterator[Tensor]:
    """Yield every tensor of a nested tuple, list, dict or dataclass; others are passed over."""
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, Mapping):
        for item in tree.values():
            yield from tensors_of(item)
    elif isinstance(tree, tuple | list):
        for item in tree:
            yield from tensors_of(item)
    elif is_dataclass(tree) and not isinstance(tree, type):
        for field in fields(tree):
            yield from tensors_of(getattr(tree, field.name))
