"""Read sections of params.yaml strictly: unknown keys, wrong types and bad values are refused."""

import math
import re
from collections.abc import Hashable, Iterable
from copy import deepcopy
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

from study.errors import StudyError

# A hundred times the length of params.yaml; this many bytes take seconds to read.
MAX_BYTES = 1 << 18
LONGEST_SHOWN = 80
MOST_ADVISED = 1e15
"""Up to here a float that is whole can be nothing but the int that was meant."""
T = TypeVar("T")


class ParamsError(StudyError):
    """A key of params.yaml is missing, unknown or has a value that cannot be used."""


class Section(BaseModel):
    """A frozen section of params.yaml that refuses unknown keys, wrong types and NaN."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=True
    )

    @model_validator(mode="before")
    @classmethod
    def _knows_every_key(cls, value: object) -> object:
        for key in value if isinstance(value, dict) else ():
            if key not in cls.model_fields:
                nearest = did_you_mean(key, cls.model_fields)
                raise PydanticCustomError("unknown_key", "", {"key": key, "nearest": nearest})
        return value


def read_params(path: Path | str = "params.yaml") -> dict[str, Any]:
    """Read the whole of params.yaml without checking what it says.

    Raises:
        ParamsError: the file is missing or too long, is not YAML or is not a mapping; it has a
            key twice, an anchor, an alias or a tag.
    """
    return deepcopy(_content(Path(path)))


def _content(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise ParamsError(f"{path} is longer than the {MAX_BYTES:,} bytes allowed")
        content = _parsed(text)
    except OSError as error:
        raise ParamsError(f"{path} cannot be read: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ParamsError(f"{path} cannot be used, line {line}: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise ParamsError(f"{path} is nested too deeply") from error
    if not isinstance(content, dict):
        raise ParamsError(f"{path} must be a mapping, got {type(content).__name__}")
    return content


@lru_cache(maxsize=4)
def _parsed(text: bytes) -> Any:
    """Parse a file once: `train_ahead` reads six sections for each of hundreds of runs."""
    return yaml.load(text.decode("utf-8"), _PlainLoader)


def read_section(schema: Any, *keys: str, path: Path | str = "params.yaml") -> Any:
    """Read the section under ``keys`` and check it against ``schema``.

    Only the keys named here are looked at, so a stage that declares them to DVC declares all
    that it reads.

    Args:
        schema: a `Section`, or any type that pydantic understands, such as ``list[int]``.
        *keys: the path of the section, such as ``"experiments", "spirals", "net"``.
        path: the params file.

    Returns:
        The section, as the type that ``schema`` describes.

    Raises:
        ParamsError: a key is missing, unknown or has a value that the schema refuses.
    """
    value: Any = _content(Path(path))
    for depth, key in enumerate(keys):
        if not isinstance(value, dict) or key not in value:
            nearest = did_you_mean(key, value if isinstance(value, dict) else ())
            raise ParamsError(f"{path}: {dotted(*keys[: depth + 1])} is missing{nearest}")
        value = value[key]
    return check(schema, value, *keys)


def check(schema: Any, value: object, *keys: str) -> Any:
    """Check ``value``, found under ``keys``, against ``schema``.

    Raises:
        ParamsError: one line that names the first offending key and what stood there.
    """
    try:
        return TypeAdapter(schema).validate_python(value)
    except ValidationError as error:
        raise ParamsError(_line(error.errors()[0], keys)) from error


def did_you_mean(word: object, known: Iterable[object]) -> str:
    """Suggest the known word nearest to ``word``, or list them all if none is near."""
    words = [str(one) for one in known]
    if nearest := get_close_matches(str(word), words, 1):
        return f": did you mean {dotted(*nearest)}?"
    listed = ", ".join(map(dotted, words[:20])) + (", ..." if len(words) > 20 else "")
    return f"; there are: {listed}" if words else ""


def unique(values: list[T]) -> list[T]:
    """Refuse a list that repeats an entry, as a pydantic validator."""
    if len(set(values)) != len(values):
        raise ValueError("must not repeat an entry")
    return values


def shown(value: object) -> str:
    """Show a value that may be anything in one line of bounded length."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def dotted(*keys: object) -> str:
    """Join keys that may be anything with dots, in one line."""
    return ".".join(
        text if text.isprintable() and len(text) < LONGEST_SHOWN else shown(text)
        for text in map(str, keys)
    )


def _line(error: ErrorDetails, keys: tuple[str, ...]) -> str:
    place = [*keys, *map(dotted, error["loc"])]
    name, found = ".".join(place), error["input"]
    if error["type"] == "unknown_key":
        key, nearest = error["ctx"]["key"], error["ctx"]["nearest"]
        return f"{'.'.join([*place, dotted(key)])} is not a known key{nearest}"
    if error["type"] == "missing":
        return f"{name} is missing"
    message = re.sub("^(Value error, |[A-Z][a-z]* (?=should))", "", error["msg"])
    message = re.sub(" after validation, not [0-9]+", "", message)
    if isinstance(found, dict):
        return f"{name}: {message}"
    return f"{name} {message}, got {shown(found)}{_as_number(found, error['type'])}"


def _as_number(found: object, error_type: str) -> str:
    """Say how to write a number that is a text, or an int that is written as a float: 1e4."""
    try:
        number = float(found) if isinstance(found, str | float) else math.nan
    except ValueError:
        number = math.nan
    must_be_int = error_type == "int_type"
    if not (must_be_int or error_type == "float_type") or not math.isfinite(number):
        return ""
    if must_be_int and not (number.is_integer() and abs(number) < MOST_ADVISED):
        return ""
    written = str(int(number)) if must_be_int else repr(number)
    return f": write {written}{' without quotes' if isinstance(found, str) else ''}"


class _PlainLoader(yaml.SafeLoader):
    """Load YAML that means the same to DVC, which reads YAML 1.2, and leaves nothing to expand.

    Numbers are those of YAML 1.2's core schema: 1e-05, as DVC writes it, 1e5, .5e3 and +1. are
    some; what YAML 1.1 reads as another number, such as 010 and 1_0, is a text. Refused are keys
    that stand twice, tags, and anchors with their aliases: these let a few lines expand into
    gigabytes, and make ``dvc exp run -S`` change nothing.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if event.anchor:
            problem = "found an anchor or alias, with which `dvc exp run -S` changes nothing"
            raise ComposerError(None, None, problem, event.start_mark)
        if getattr(event, "tag", None):
            raise ComposerError(None, None, "found a tag", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        mapping = super().construct_mapping(node, deep)
        for name in node.value if len(mapping) < len(node.value) else ():
            key = self.construct_object(name[0], deep=True)
            if key in seen:
                mark = name[0].start_mark
                raise ConstructorError(None, None, f"found the key {shown(key)} twice", mark)
            seen.add(key)
        return mapping


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", r"[-+]?(0|[1-9][0-9]{,98})", [*"-+0123456789"]),
    (
        "float",
        r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        [*"-+.0123456789"],
    ),
):
    _PlainLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )
