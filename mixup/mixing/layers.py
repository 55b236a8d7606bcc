"""Find the layers that a person names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from inspect import getattr_static

import torch
from torch import nn

from mixup.mixing.checks import MODEL_FIRST, found, is_module

INPUT = "input"
# Wrappers put these between the names that the model's author gave.
_WRAPPERS = {"_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module"}

Layers = Iterable[str | nn.Module] | Mapping[str | nn.Module, float]


def unwrap(model: nn.Module) -> nn.Module:
    """Return the model inside `torch.compile`, `DistributedDataParallel` and the like."""
    while True:
        if isinstance(model, nn.parallel.DistributedDataParallel | nn.DataParallel):
            model = model.module
        elif isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
            model = inner
        else:
            return model


def in_a_row(layers: Iterable[tuple[nn.Module, bool]]) -> tuple[nn.Sequential, list[str]]:
    """Build a model of (layer, eligible) pairs, and name the layers that are eligible."""
    pairs = list(layers)
    for index, (layer, _) in enumerate(pairs):
        is_module(f"layer {index}", layer)
    eligible = [str(index) for index, (_, flag) in enumerate(pairs) if flag]
    return nn.Sequential(*(layer for layer, _ in pairs)), eligible


def is_compiled(module: nn.Module) -> bool:
    """Whether `torch.compile` was called on this very module, or Lightning compiles its methods."""
    return (
        "_orig_mod" in module._modules
        or module._compiled_call_impl is not None
        or vars(module).get("_compiler_ctx") is not None
    )


def refuse_half_eval(model: nn.Module) -> None:
    """Raise RuntimeError if a model is in eval mode as a whole, but a part of it is trained."""
    if not torch.is_grad_enabled():
        return
    for name, part in model.named_modules():
        if part.training and any(p.requires_grad for p in part.parameters(recurse=False)):
            raise RuntimeError(
                f"the model is in eval mode, which never mixes, but {name!r} is in training mode: "
                "set `model.training = True`, which changes no part of it, to mix, or evaluate "
                "under torch.no_grad()"
            )


@dataclass(frozen=True)
class Place:
    """Where mixing may enter: a module, or one part of what goes into it or comes out."""

    module: nn.Module
    weight: float
    part: str | None


def find_layers(model: nn.Module, layers: Layers) -> dict[str, Place]:
    """Find the modules that ``layers`` selects.

    Args:
        model: an unwrapped model.
        layers: names, glob patterns (``*`` does not cross a dot, ``**`` does), modules, or "input";
            ``:`` and the name or index of a part may follow; or a mapping of these to weights. A
            pattern gives its weight to each layer it matches.

    Returns:
        {name: place}, in the order given; "input" has the model itself.

    Raises:
        TypeError: ``layers`` is no list, or an item is neither name nor module.
        ValueError: no layer at all; an item that matches nothing; one that is selected twice; a
            container that is never called; an argument that the model does not have.
    """
    if isinstance(layers, str):
        raise TypeError(f"layers must be a list, got {layers!r}: write [{layers!r}]")
    if isinstance(layers, nn.Module):
        raise TypeError(f"layers must be a list, got {found(layers)}: write [...] around it")
    if not isinstance(layers, Iterable):
        raise TypeError(f"layers must be a list, got {found(layers)}: {MODEL_FIRST}")
    weights = layers if isinstance(layers, Mapping) else dict.fromkeys(layers, 1.0)
    known = _named_layers(model)
    places: dict[str, Place] = {}
    for item, weight in weights.items():
        path, part = _split(item, known)
        for name in _matches(path, model, known):
            full = name if part is None else f"{name}:{part}"
            if full in places:
                raise ValueError(f"layer {full!r} is selected twice, again by {item!r}")
            places[full] = Place(model if name == INPUT else known[name], weight, part)
    if not places:
        raise ValueError("no layer to mix at; to train without mixing, call the model itself")
    return places


def _split(
    item: str | nn.Module, known: dict[str, nn.Module]
) -> tuple[str | nn.Module, str | None]:
    if not isinstance(item, str) or ":" not in item or item in known:
        return item, None
    path, _, part = item.rpartition(":")
    return path, part


def _named_layers(model: nn.Module) -> dict[str, nn.Module]:
    named = model.named_modules(remove_duplicate=False)
    return {
        ".".join(part for part in name.split(".") if part not in _WRAPPERS): module
        for name, module in named
        if module is not model
    }


def _matches(item: str | nn.Module, model: nn.Module, known: dict[str, nn.Module]) -> list[str]:
    if isinstance(item, nn.Module):
        inner = unwrap(item)
        names = [name for name, module in known.items() if module is inner or module is item][:1]
        if not names:
            what = "the model itself" if inner is model else "no part of the model"
            raise ValueError(f"cannot mix at {type(item).__name__}: it is {what}")
        if names == [INPUT]:
            raise ValueError("a module named 'input' cannot be mixed at: rename it")
    elif not isinstance(item, str):
        known_names = _what_there_is(str(item), known)
        raise TypeError(f"a layer must be a name or a module, got {found(item)}; {known_names}")
    elif item == INPUT:
        return [INPUT]
    else:
        names = [name for name in known if _matches_pattern(name, item) and name != INPUT]
        if not names:
            raise ValueError(f"no layer matches {item!r}; {_what_there_is(item, known)}")
    called = [name for name in names if not _is_container(known[name])]
    if not called:
        raise ValueError(
            f"{names[0]!r} is a {type(known[names[0]]).__name__}, which is never called: "
            f"take its members, '{names[0]}.*'"
        )
    return called


def _matches_pattern(name: str, pattern: str) -> bool:
    return _parts_match(name.split("."), pattern.split("."))


def _parts_match(parts: list[str], patterns: list[str]) -> bool:
    if not patterns:
        return not parts
    first, *others = patterns
    if first == "**":
        return any(_parts_match(parts[i:], others) for i in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], first) and _parts_match(parts[1:], others)


def _is_container(module: nn.Module) -> bool:
    forward = getattr_static(type(module), "forward")  # one of TorchScript cannot be asked for
    return forward is nn.Module.forward and "forward" not in vars(module)


def _what_there_is(item: str, known: dict[str, nn.Module]) -> str:
    names = [INPUT, *(name for name, module in known.items() if not _is_container(module))]
    close = get_close_matches(item, names, n=5)
    listed = ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
    did_you_mean = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    return f"{did_you_mean}The model has: {listed}"
