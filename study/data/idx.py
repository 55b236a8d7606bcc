"""Read IDX files, the format MNIST is published in, without trusting what they say."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from study.errors import StudyError

# The 60,000 training images of MNIST are 47 million values.
MAX_VALUES = 1 << 26
_UNSIGNED_BYTE = 0x08


class IdxError(StudyError):
    """A file is not the IDX file it should be."""


def read_idx(path: Path | str, ndim: int, max_values: int = MAX_VALUES) -> np.ndarray:
    """Read an array of unsigned bytes from an IDX file, gzipped if its name ends in ``.gz``.

    The file is a magic number (two zero bytes, the type, ``ndim``), one big-endian int32 for
    each dimension, and the values row by row; not a byte less or more.

    Args:
        path: the file.
        ndim: how many dimensions it must have; 3 for images (magic 2051), 1 for labels (2049).
        max_values: refuse a file that announces more; it also bounds what is decompressed.

    Returns:
        uint8 array of the shape that the file announces.

    Raises:
        IdxError: the file cannot be read, is not gzip, is truncated or damaged, has another
            magic number, is larger than ``max_values`` or has another length than it announces.
    """
    path = Path(path)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(4 + 4 * ndim)
            shape = _shape(path, header, ndim, max_values)
            count = math.prod(shape)
            # One more than announced, which also makes gzip reach the end and check its CRC.
            values = file.read(count + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise IdxError(f"{path} cannot be decompressed: {reason}") from error
    if len(values) != count:
        found = f"{len(values):,}" if len(values) < count else "more"
        raise IdxError(f"{path} announces {count:,} values of shape {shape}, but holds {found}")
    return np.frombuffer(values, np.uint8).reshape(shape).copy()


def _shape(path: Path, header: bytes, ndim: int, max_values: int) -> tuple[int, ...]:
    magic = bytes([0, 0, _UNSIGNED_BYTE, ndim])
    if header[:4] != magic:
        raise IdxError(
            f"{path} is not an IDX file of {ndim}-dimensional bytes: its magic number is "
            f"{int.from_bytes(header[:4], 'big')}, expected {int.from_bytes(magic, 'big')}"
        )
    if len(header) != 4 + 4 * ndim:
        raise IdxError(f"{path} ends within its header of {4 + 4 * ndim} bytes")
    shape: tuple[int, ...] = struct.unpack(f">{ndim}I", header[4:])
    # A size can be too large by itself, beside a size of 0.
    if max(math.prod(shape), *shape) > max_values:
        raise IdxError(
            f"{path} announces {math.prod(shape):,} values of shape {shape}, "
            f"more than the {max_values:,} allowed"
        )
    return shape
