"""IDX files made here byte by byte, sound and unsound."""

import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from study.data.idx import IdxError, read_idx

LABELS = bytes.fromhex("00000801 00000003") + bytes([5, 0, 4])
IMAGES = bytes.fromhex("00000803 00000002 00000002 00000003") + bytes(range(244, 256))


def write(folder: Path, content: bytes) -> Path:
    path = folder / "file.gz"
    path.write_bytes(content)
    return path


def test_labels(tmp_path: Path) -> None:
    labels = read_idx(write(tmp_path, gzip.compress(LABELS)), ndim=1)
    assert labels.dtype == np.uint8
    assert labels.tolist() == [5, 0, 4]


def test_images_are_read_row_by_row(tmp_path: Path) -> None:
    images = read_idx(write(tmp_path, gzip.compress(IMAGES)), ndim=3)
    assert images.tolist() == [
        [[244, 245, 246], [247, 248, 249]],
        [[250, 251, 252], [253, 254, 255]],
    ]


def test_no_values(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(bytes.fromhex("00000801 00000000")))
    assert read_idx(path, ndim=1).shape == (0,)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LABELS[:-1], "announces 3 values of shape .*, but holds 2"),
        (LABELS + b"\0", "announces 3 values of shape .*, but holds more"),
        (LABELS[:8], "announces 3 values of shape .*, but holds 0"),
        (LABELS[:6], "ends within its header of 8 bytes"),
        (IMAGES, "magic number is 2051, expected 2049"),
        (bytes.fromhex("00000d01") + LABELS[4:], "magic number is 3329, expected 2049"),
        (b"", "magic number is 0, expected 2049"),
    ],
)
def test_wrong_content_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = write(tmp_path, gzip.compress(content))
    with pytest.raises(IdxError, match=f"file.gz.*{message}"):
        read_idx(path, ndim=1)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(LABELS, id="not gzip"),
        pytest.param(gzip.compress(LABELS)[:-9], id="truncated"),
        pytest.param(gzip.compress(LABELS)[:-8] + bytes(8), id="wrong CRC"),
        pytest.param(gzip.compress(LABELS)[:10] + b"\xff" * 20, id="damaged"),
    ],
)
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(IdxError, match=r"file\.gz cannot be decompressed: \S"):
        read_idx(write(tmp_path, content), ndim=1)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IdxError, match="cannot be decompressed: No such file"):
        read_idx(tmp_path / "file.gz", ndim=1)


def test_more_values_than_allowed_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(LABELS))
    assert read_idx(path, ndim=1, max_values=3).shape == (3,)
    with pytest.raises(IdxError, match=r"3 values of shape .*, more than the 2 allowed"):
        read_idx(path, ndim=1, max_values=2)
    huge = write(tmp_path, gzip.compress(b"\0\0\x08\x03" + b"\xff" * 12))
    with pytest.raises(IdxError, match="more than the 67,108,864 allowed"):
        read_idx(huge, ndim=3)


def test_a_small_file_cannot_decompress_into_a_large_one(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(LABELS + bytes(50_000_000)))
    tracemalloc.start()
    try:
        with pytest.raises(IdxError, match="holds more"):
            read_idx(path, ndim=1)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
