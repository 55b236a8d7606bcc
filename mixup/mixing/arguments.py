"""Which argument of a call is meant, and how many samples it has."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from mixup.mixing.checks import GIVE_TENSORS, found
from mixup.mixing.formula import tensors_of

GIVE_A_PLAN = "give plan=mixer.draw(batch_size)"


class Signature(NamedTuple):
    """The names of the parameters of a ``forward``."""

    positional: tuple[str, ...]
    keyword_only: tuple[str, ...]
    takes_any: bool
    """Whether it has ``**kwargs``, or cannot be looked at."""

    @classmethod
    def of(cls, module: nn.Module) -> Signature:
        try:
            parameters = inspect.signature(module.forward).parameters.values()
        except (TypeError, ValueError):
            return cls((), (), True)
        names = {kind: [p.name for p in parameters if p.kind is kind] for kind in _KINDS}
        return cls(
            (*names[inspect.Parameter.POSITIONAL_ONLY], *names[_KINDS[1]]),
            tuple(names[inspect.Parameter.KEYWORD_ONLY]),
            any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters),
        )

    def check(self, part: str | None) -> None:
        """Raise ValueError unless there may be such an argument."""
        known = (*self.positional, *self.keyword_only)
        if not (part is None or part in known or part.isdigit() or self.takes_any):
            raise ValueError(f"the model has no argument {part!r}, but {', '.join(known)}")

    def find(self, part: str | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | str:
        """Find an argument of a call.

        Args:
            part: name or position of the argument; the first of the signature when None.
            args, kwargs: of the call.

        Returns:
            An index of ``args`` or a key of ``kwargs``.

        Raises:
            TypeError: it was not given, or it is not clear which one is the first.
        """
        if part is None:
            return self._first(args, kwargs)
        if part in kwargs:
            return part
        known = {name: index for index, name in enumerate(self.positional)}
        index = int(part) if part.isdigit() else known.get(part, len(args))
        if index >= len(args):
            raise TypeError(f"the call has no argument {part!r}")
        return index

    def _first(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | str:
        if args:
            return 0
        for name in (*self.positional, *self.keyword_only)[:1]:
            if kwargs.get(name) is not None:
                return name
        given = [name for name, value in kwargs.items() if _has_tensor(value)]
        if len(given) == 1:
            return given[0]
        advice = f"{', '.join(given)}; name one, such as 'input:{given[0]}'" if given else "none"
        raise TypeError(f"it is not clear which argument is the input; tensors are in {advice}")


_KINDS = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.KEYWORD_ONLY,
)


def batch_of(
    signature: Signature,
    part: str | None,
    batch_dim: int,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[int, torch.device]:
    """Tell how many samples a call has, and where they are.

    Args:
        signature: of the model.
        part: the argument that tells; the first one of the signature when None, or all others if
            that one has no tensor.
        batch_dim: the dimension of the samples.
        args, kwargs: of the call.

    Raises:
        TypeError: there is no tensor, or a list of them, which may be samples or several inputs.
        ValueError: tensors have different sizes, or none has a batch dimension.
    """
    if part is None and args and isinstance(args[0], Tensor):
        value: Any = args[0]
    elif part is not None:
        where = signature.find(part, args, kwargs)
        value = args[where] if isinstance(where, int) else kwargs[where]
    else:
        value = args[0] if args else next(map(kwargs.get, signature.positional), None)
        if not _has_tensor(value):
            value = dict(enumerate(args)) | kwargs
    if isinstance(value, Tensor):
        return _size(value, batch_dim), value.device
    if isinstance(value, PackedSequence):
        return int(value.batch_sizes[0]), value.data.device
    if _has_list(value):
        raise TypeError(
            "a list or tuple of tensors may be a batch of samples or several inputs, so it does "
            f"not tell the batch size: {GIVE_A_PLAN}"
        )
    tensors = [*tensors_of(value)]
    if not tensors:
        given = ", ".join(
            f"{name} is {found(value)}" for name, value in _named(signature, args, kwargs)
        )
        raise TypeError(
            f"no tensor among the arguments tells the batch size ({given or 'there are none'}): "
            f"{GIVE_TENSORS}; or {GIVE_A_PLAN} where the model makes tensors itself"
        )
    sizes = {_size(tensor, batch_dim) for tensor in tensors if tensor.ndim > batch_dim}
    if len(sizes) > 1:
        raise ValueError(
            f"tensors among the arguments have {sorted(sizes)} entries along dimension "
            f"{batch_dim}, so the batch size is not clear: {GIVE_A_PLAN}"
        )
    return sizes.pop() if sizes else _size(tensors[0], batch_dim), tensors[0].device


def _size(tensor: Tensor, batch_dim: int) -> int:
    if tensor.ndim <= batch_dim:
        raise ValueError(
            f"the first tensor has shape {tuple(tensor.shape)}, without a batch dimension "
            f"{batch_dim}"
        )
    return tensor.shape[batch_dim]


def _named(
    signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    names = (*signature.positional, *(f"argument {i}" for i in range(len(args))))
    yield from zip(names, args, strict=False)
    yield from kwargs.items()


def _has_tensor(value: Any) -> bool:
    return next(tensors_of(value), None) is not None


def _has_list(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_list, value.values()))
    return isinstance(value, list | tuple) and _has_tensor(value)


LABELS = ("labels", "start_positions", "end_positions", "next_sentence_label")


def refuse_draw(device: torch.device) -> None:
    """Raise RuntimeError where a plan that is drawn now would not be the one of this pass."""
    if torch._C._current_graph_task_id() != -1:
        raise RuntimeError(
            "the mixer was called in a backward pass, where it would draw another plan: put "
            "checkpoints inside the model, not around the mixer"
        )
    if device.type == "cuda" and torch.cuda.is_current_stream_capturing():
        raise RuntimeError(
            "a plan drawn while a CUDA graph is recorded would be that of every replay: record "
            "one graph a layer with plan=, and copy lam and perm into the plan's tensors"
        )


def refuse_labels(signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise ValueError if labels are among the arguments, by their names in Hugging Face."""
    named = dict(zip(signature.positional, args, strict=False)) | kwargs
    for name in LABELS:
        if named.get(name) is not None:
            raise ValueError(
                f"with {name}=, the model would compute a loss of labels that are not mixed: call "
                "the mixer without, and use plan.loss"
            )
