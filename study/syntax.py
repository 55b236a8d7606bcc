"""What a Python source says and imports, blind to comments, docstrings and layout."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator
from functools import cache

from study.errors import StudyError


def imported_names(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names that a module imports when it runs, wherever in it they stand."""
    for node in _with_statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise StudyError("relative imports cannot be followed: name the module in full")
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_of(source: str, file: str) -> list[str]:
    """List the names that `imported_names` finds in a source; `file` is named in errors."""
    return _read(source, file)[0]


def meaning(source: str, file: str = "<unknown>") -> str:
    """Write what a Python source says: its syntax tree without docstrings and type-only imports.

    It walks classes and non-empty fields, since `ast.dump` differs between versions of Python.
    """
    return _read(source, file)[1]


@cache  # parsing takes longest, and most files are of many stages
def _read(source: str, file: str) -> tuple[list[str], str]:
    tree = _without_idle_statements(ast.parse(source, file))
    return list(imported_names(tree)), _written(tree)


def _written(node: object) -> str:
    match node:
        case ast.JoinedStr():
            return f"JoinedStr[{' '.join(_parts(node))}]"
        case ast.Constant():
            return f"{type(node.value).__name__} {node.value!r}"
        case ast.AST():
            fields = [(name, getattr(node, name, None)) for name in node._fields]
            told = [
                f"{name}={_written(value)}" for name, value in fields if value not in (None, [])
            ]
            return f"{type(node).__name__}({' '.join(told)})"
        case list():
            return f"[{' '.join(map(_written, node))}]"
    return repr(node)


def _parts(node: ast.JoinedStr) -> Iterator[str]:
    """Write an f-string; versions of Python cut its constant parts differently."""
    text = ""
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
            continue
        if text:
            yield repr(text)
        text = ""
        yield _written(part)
    if text:
        yield repr(text)


def _without_idle_statements(tree: ast.Module) -> ast.Module:
    for node in _with_statements(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                setattr(node, field, [one for one in block if not _is_idle(one)])
    return tree


def _with_statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield a tree, its statements, and what holds statements in them; no expressions."""
    waiting = deque([tree])
    while waiting:
        node = waiting.popleft()
        yield node
        for field in ("body", "handlers", "orelse", "finalbody", "cases"):
            block = getattr(node, field, ())
            if isinstance(block, list):  # of an expression with `if` or lambda it is none
                waiting += block


def _is_idle(statement: ast.stmt) -> bool:
    """Tell whether a statement does nothing when it runs: a docstring, or imports for types."""
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING" | "_TYPE_CHECKING")):
            return True
    return False
