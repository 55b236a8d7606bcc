"""Read NPZ files without trusting what they say: no pickles, no more memory than is allowed."""

import math
import zipfile
from collections.abc import Container
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from study.errors import FileError

# Ten times all of MNIST.
MAX_BYTES = 1 << 30
MAX_ARRAYS = 10_000
# Of the arrays that the study writes: bool, int, unsigned int and float.
KINDS = "biuf"


class Arrays(dict[str, np.ndarray]):
    """The arrays of a file by name; one that is not there is a `FileError`."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def __missing__(self, name: str) -> np.ndarray:
        raise FileError(self.path, f"it has no array {name}")


def read_npz(
    path: Path | str, max_bytes: int = MAX_BYTES, with_missing: Container[str] = ()
) -> Arrays:
    """Read all arrays of an NPZ file.

    Args:
        path: the file.
        max_bytes: refuse a file whose arrays together announce more; it bounds what is
            decompressed.
        with_missing: names of the arrays that may hold NaN, where a number is missing.

    Returns:
        The arrays of numbers or bools, by name; a name that is not there is damage too.

    Raises:
        FileError: the file is missing, damaged or larger than that, or an array is not of numbers
            or not finite.
    """
    path = Path(path)
    arrays = Arrays(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if size > max_bytes or len(members) > MAX_ARRAYS:
                raise ValueError(
                    f"it announces {len(members):,} arrays of {size:,} bytes, "
                    f"more than the {MAX_ARRAYS:,} of {max_bytes:,} allowed"
                )
            for member in members:
                with archive.open(member) as file:
                    name = member.filename.removesuffix(".npy")
                    array = _read_array(file, member)
                    _check_numbers(member.filename, array, name in with_missing)
                    arrays[name] = array
    except FileNotFoundError as error:
        raise FileError(path) from error
    except (PermissionError, IsADirectoryError):
        raise
    except Exception as error:  # whatever a damaged file may cause
        raise FileError(path, error) from error
    return arrays


def _read_array(file: IO[bytes], member: zipfile.ZipInfo) -> np.ndarray:
    version = npy.read_magic(file)
    read_header: Any = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, in_columns, dtype = read_header(file)
    if dtype.kind not in KINDS:
        raise ValueError(f"{member.filename} has the type {dtype}, which is not read")
    if any(size < 0 for size in shape):
        raise ValueError(f"{member.filename} announces the shape {shape}")
    expected = math.prod(shape) * dtype.itemsize
    content = file.read()  # as long as the archive announces, at most
    if len(content) != expected:
        raise ValueError(f"{member.filename} holds {len(content):,} bytes of {expected:,}")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if in_columns else "C").copy()


def _check_numbers(name: str, array: np.ndarray, may_miss_some: bool) -> None:
    if array.dtype.kind != "f":
        return
    if may_miss_some and np.isinf(array).any():
        raise ValueError(f"{name} holds infinity")
    if not may_miss_some and not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity")
