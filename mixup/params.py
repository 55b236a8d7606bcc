"""Read sections of params.yaml strictly: unknown keys, wrong types and bad values are refused."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from mixup.errors import StudyError


class ParamsError(StudyError):
    """A key of params.yaml is missing, unknown or has a value that cannot be used."""


class Section(BaseModel):
    """A frozen section of params.yaml that refuses unknown keys, wrong types and NaN."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=True
    )


def read_params(path: Path | str = "params.yaml") -> dict[str, Any]:
    """Read the whole of params.yaml without checking it.

    Raises:
        ParamsError: the file is missing, is not YAML or is not a mapping.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParamsError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ParamsError(f"{path} must be a mapping, got {type(content).__name__}")
    return content


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
    value: Any = read_params(path)
    for depth, key in enumerate(keys):
        if not isinstance(value, dict) or key not in value:
            raise ParamsError(f"{path}: {'.'.join(keys[: depth + 1])} is missing")
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
        raise ParamsError(_first_line(error, keys)) from error


def _first_line(error: ValidationError, keys: tuple[str, ...]) -> str:
    first = error.errors()[0]
    name = ".".join([*keys, *(str(part) for part in first["loc"])])
    if first["type"] == "extra_forbidden":
        return f"{name} is not a known key"
    if first["type"] == "missing":
        return f"{name} is missing"
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if isinstance(first["input"], dict):
        return f"{name}: {message}"
    return f"{name} {message}, got {first['input']!r}"
