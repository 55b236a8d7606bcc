"""Find the layers that a person names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase

from torch import nn

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


def is_compiled(module: nn.Module) -> bool:
    """Whether `torch.compile` was called on this very module, or Lightning compiles its methods."""
    return (
        "_orig_mod" in module._modules
        or module._compiled_call_impl is not None
        or vars(module).get("_compiler_ctx") is not None
    )


def find_layers(model: nn.Module, layers: Layers) -> dict[str, tuple[nn.Module, float]]:
    """Find the modules that ``layers`` selects.

    Args:
        model: an unwrapped model.
        layers: names, glob patterns (``*`` does not cross a dot), modules, or "input"; or a
            mapping of these to weights. A pattern gives its weight to each layer it matches.

    Returns:
        {name: (module, weight)}, in the order given; "input" has the model itself.

    Raises:
        TypeError: ``layers`` is a single name, or an item is neither name nor module.
        ValueError: no layer at all; an item that matches nothing; one that is selected twice; a
            container that is never called.
    """
    if isinstance(layers, str | nn.Module):
        raise TypeError(f"layers must be a list, got {layers!r}: write [{layers!r}]")
    weights = layers if isinstance(layers, Mapping) else dict.fromkeys(layers, 1.0)
    known = _named_layers(model)
    found: dict[str, tuple[nn.Module, float]] = {}
    for item, weight in weights.items():
        for name in _matches(item, model, known):
            if name in found:
                raise ValueError(f"layer {name!r} is selected twice, again by {item!r}")
            found[name] = (model if name == INPUT else known[name], weight)
    if not found:
        raise ValueError("no layer to mix at; to train without mixing, call the model itself")
    return found


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
        raise TypeError(f"a layer must be a name or a module, got {item!r}")
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
    parts, patterns = name.split("."), pattern.split(".")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _is_container(module: nn.Module) -> bool:
    return isinstance(module, nn.ModuleList | nn.ModuleDict)


def _what_there_is(item: str, known: dict[str, nn.Module]) -> str:
    names = [INPUT, *(name for name, module in known.items() if not _is_container(module))]
    close = get_close_matches(item, names, n=5)
    listed = ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
    did_you_mean = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    return f"{did_you_mean}The model has: {listed}"
