"""The user's own functions: "my_net.py:build", and the code that they are made of."""

import importlib
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from study.code import code_digest, code_run
from study.errors import StudyError
from study.params import did_you_mean, shown

_loaded: set[str] = set()
"""Names of own modules that were imported; the next load reads them anew, as they may be others."""


def load_function(spec: str, folder: Path = Path()) -> Callable[..., Any]:
    """Load a function of the user's.

    Its file is run anew at each load, as are the modules beside it that it imports, by their names
    from ``folder``. Whatever the function raises becomes a `StudyError` of one line.

    Args:
        spec: "FILE.py:FUNCTION", the file relative to the folder and in it.
        folder: the study's.

    Raises:
        StudyError: there is no such file or function, or running the file fails.
    """
    folder = folder.absolute()
    path, name = _place(spec, folder)
    with _readable(spec):
        files, _ = code_run(path, folder)
    module = _import(spec, path, folder, files)
    if not hasattr(module, name):
        own = vars(module).items()
        known = [one for one, value in own if getattr(value, "__module__", "") == module.__name__]
        raise StudyError(f"{spec}: the file has no {name!r}{did_you_mean(name, known)}")
    function = getattr(module, name)
    if not callable(function):
        raise StudyError(f"{spec} must be a function, got a {type(function).__name__}")

    @wraps(function, updated=())  # a class has no dictionary to copy
    def called(*args: Any) -> Any:
        with told(spec, folder):
            return function(*args)

    return called


def digest(spec: str, folder: Path = Path()) -> str:
    """Digest the code of an own function: its file, and what that imports from the study's folder.

    Comments, docstrings and layout are no part of it, nor is what the code reads or imports by
    other means than ``import``.

    Returns:
        16 hexadecimal digits.

    Raises:
        StudyError: there is no such file; it, or one that it imports, is not Python.
    """
    folder = folder.absolute()
    path, _ = _place(spec, folder)
    with _readable(spec):
        return code_digest(path, folder)


@contextmanager
def told(what: str, folder: Path = Path()) -> Iterator[None]:
    """Tell in one line what own code raises, and where.

    Raises:
        StudyError: in place of any other exception.
    """
    try:
        yield
    except StudyError:
        raise
    except (Exception, SystemExit) as error:
        inside = folder.absolute()
        places = [
            f" ({Path(frame.filename).relative_to(inside).as_posix()}, line {frame.lineno})"
            for frame in traceback.extract_tb(error.__traceback__)
            if Path(frame.filename).is_relative_to(inside)
        ]
        raise StudyError(
            f"{what} raises {type(error).__name__}: {one_line(error)}{''.join(places[-1:])}"
        ) from error


def one_line(error: BaseException, length: int = 300) -> str:
    """Write what an exception says in one line of at most ``length`` characters."""
    return " ".join(str(error).split())[:length]


def _place(spec: str, folder: Path) -> tuple[Path, str]:
    file, _, name = spec.rpartition(":")
    relative = Path(file)
    inside = not relative.is_absolute() and ".." not in relative.parts
    if relative.suffix != ".py" or not inside or not name.isidentifier():
        raise StudyError(
            f"own code must be named 'FILE.py:FUNCTION', a file in the study's folder, "
            f"got {shown(spec)}"
        )
    if not (folder / relative).is_file():
        files = [path.relative_to(folder).as_posix() for path in folder.glob("*.py")]
        raise StudyError(f"{spec}: there is no file {file!r} here{did_you_mean(file, files)}")
    return folder / relative, name


@contextmanager
def _readable(spec: str) -> Iterator[None]:
    try:
        yield
    except SyntaxError as error:
        file = Path(error.filename or "").name
        raise StudyError(f"{spec}: {file}, line {error.lineno}: {error.msg}") from error
    except (StudyError, ValueError, RecursionError) as error:
        raise StudyError(f"{spec} cannot be read: {one_line(error)}") from error


def _import(spec: str, path: Path, folder: Path, files: set[Path]) -> ModuleType:
    """Run a file as the module of its name, with its folder first where modules are sought."""
    for name in _loaded:
        sys.modules.pop(name, None)
    _loaded.clear()
    for file in files:
        name = _module_name(file, folder)
        if name not in sys.modules:
            _loaded.add(name)
        elif not _is_of(sys.modules[name], file):
            raise StudyError(f"{spec}: there is another module {name!r}: rename {file.name}")
    name = _module_name(path, folder)
    if name in sys.modules:  # a part of this study itself
        return sys.modules[name]
    sys.path[:] = [str(folder), *(place for place in sys.path if place != str(folder))]
    importlib.invalidate_caches()
    found = spec_from_file_location(name, path)
    assert found
    assert found.loader
    module = sys.modules[name] = module_from_spec(found)
    with told(spec, folder), _no_bytecode():
        found.loader.exec_module(module)
    return module


def _is_of(module: ModuleType, file: Path) -> bool:
    return Path(getattr(module, "__file__", None) or "").resolve() == file.resolve()


def _module_name(file: Path, folder: Path) -> str:
    return ".".join(file.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")


@contextmanager
def _no_bytecode() -> Iterator[None]:
    """Write no __pycache__, which would keep old code where an edit takes less than a second."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
