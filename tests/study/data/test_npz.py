"""NPZ and IDX files of people who mean no good, and what a disk may do to one."""

import gzip
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from study.data.dataset import Dataset, load_dataset, save_dataset
from study.data.idx import IdxError, read_idx
from study.data.npz import read_npz
from study.errors import FileError, StudyError

fuzz = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
N = 6
NONE = np.zeros(0, dtype=np.int64)
GOOD = {
    "inputs": np.arange(2 * N, dtype=np.float32).reshape(N, 2),
    "labels": np.arange(N) % 2,
    "group": np.arange(N),
    "official_test": np.zeros(N, dtype=bool),
    "columns": np.zeros(2, dtype=np.int64),
}


def npz_bytes(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def npy(header: str, content: bytes = b"") -> bytes:
    text = f"{header}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def in_one_line(error: StudyError) -> None:
    assert str(error).isprintable()


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back_as_they_were(tmp_path: Path, order: str) -> None:
    path = tmp_path / "a.npz"
    arrays = GOOD | {"inputs": np.asarray(GOOD["inputs"], order=order), "none": np.empty((0, 3))}
    path.write_bytes(npz_bytes(**arrays))
    found = read_npz(path)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    found["inputs"][0] = 1  # it can be written to, as torch wants


HEADER = "{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (npy(HEADER % ("|O", 1), b"\x80\x04."), "has the type object, which is not read"),
        (npy(HEADER % ("|S9", 10**9)), "has the type"),
        (npy(HEADER % ("|u1", 10**15)), "holds 0 bytes of 1,000,000,000,000,000"),
        (npy(HEADER % ("<f8", 2), bytes(15)), "holds 15 bytes of 16"),
        (npy(HEADER % ("<f8", 1), bytes(15)), "holds 15 bytes of 8"),
        (npy(HEADER % ("<f8", -1)), "shape"),
        (npy(HEADER % ("<f8", 1), b"\0\0\0\0\0\0\xf8\x7f"), "holds NaN or infinity"),
        (npy("__import__('os').system('ls')"), "malformed node"),
        (npy("(" * 9000), "(EOF|too many nested)"),
        (b"", "EOF"),
        (b"\x80\x04N.", "magic"),
    ],
)
def test_members_that_are_no_arrays_of_numbers(tmp_path: Path, content: bytes, said: str) -> None:
    path = zipped(tmp_path / "a.npz", inputs=content)
    with pytest.raises(FileError, match=rf"a\.npz is damaged \(.*{said}.*run `dvc repro`") as error:
        read_npz(path)
    assert str(error.value).isprintable()


def test_numbers_may_be_missing_where_the_reader_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(npz_bytes(inputs=np.array([1.0, np.nan]), labels=np.array([0, 1])))
    np.testing.assert_array_equal(read_npz(path, with_missing=["inputs"])["inputs"], [1, np.nan])
    with pytest.raises(FileError, match=r"inputs\.npy holds NaN or infinity"):
        read_npz(path, with_missing=["labels"])
    path.write_bytes(npz_bytes(inputs=np.array([1.0, np.inf])))
    with pytest.raises(FileError, match=r"inputs\.npy holds infinity"):
        read_npz(path, with_missing=["inputs"])


def test_an_array_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(npz_bytes(inputs=GOOD["inputs"]))
    with pytest.raises(FileError, match=r"a\.npz is damaged \(it has no array labels\)"):
        load_dataset(path)


def test_more_arrays_than_allowed(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.npz", **{f"a{i}": b"" for i in range(10_001)})
    with pytest.raises(FileError, match="announces 10,001 arrays"):
        read_npz(path)


@pytest.mark.slow
def test_a_bomb_does_not_go_off(tmp_path: Path) -> None:
    """A megabyte of zip that holds a gigabyte, read with 512 MB of memory."""
    megabyte = bytes(1 << 20)
    with (
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("inputs.npy", "w", force_zip64=True) as file,
    ):
        file.write(npy(HEADER % ("|u1", 1025 << 20)))
        for _ in range(1025):
            file.write(megabyte)
    program = (
        "import resource\n"
        "from study.data.npz import read_npz\n"
        "limit = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit + (1 << 29),) * 2)\n"
        "read_npz('a.npz')\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "it announces 1 arrays of 1,074," in done.stderr


@fuzz
@given(content=st.binary(max_size=200))
@example(b"PK\x05\x06" + bytes(18))
@example(npy(HEADER % ("|u1", 10**15)))
def test_any_bytes_are_refused_in_a_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(FileError) as error:
        load_dataset(path)
    assert str(error.value).isprintable()


@fuzz
@given(data=st.data())
def test_a_damaged_file_is_refused_or_holds_the_same(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.npz"
    content = bytearray(npz_bytes(**GOOD))
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[at] ^= data.draw(st.integers(1, 255))
    else:
        del content[at:]
    path.write_bytes(content)
    try:
        found = load_dataset(path)
    except FileError as error:
        in_one_line(error)
        return
    for name, array in GOOD.items():  # what no one looks at, such as a date
        np.testing.assert_array_equal(getattr(found, name), array)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": np.full(N, -1)}, "labels must be class indices from 0"),
        ({"labels": np.arange(N) + 10**12}, "labels must be class indices from 0"),
        ({"labels": np.zeros(N, dtype=int)}, "of two classes at least, got 0..0"),
        ({"labels": np.zeros(N)}, "needs float32 or uint8, int64, int64, bool, int64"),
        ({"inputs": np.zeros((N, 2))}, "got float64, int64, int64, bool, int64"),
        (
            {"inputs": np.zeros((N, 0), np.float32), "columns": NONE},
            "needs inputs that are",
        ),
        ({"inputs": np.zeros(N, np.float32)}, "needs arrays of one length"),
        ({"group": np.zeros((N, 2, 2), int)}, "needs arrays of one length"),
        (
            {name: array[:0] for name, array in GOOD.items()},
            "needs inputs that are",
        ),
    ],
)
def test_arrays_that_are_no_data_set(
    tmp_path: Path, changes: dict[str, np.ndarray], said: str
) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(npz_bytes(**(GOOD | changes)))
    with pytest.raises(FileError, match=rf"a\.npz is damaged \(.*{said}"):
        load_dataset(path)


def test_inputs_that_are_not_finite() -> None:
    inputs = np.full((N, 2), np.inf, dtype=np.float32)
    with pytest.raises(StudyError, match="needs inputs that are not infinite"):
        Dataset(**(GOOD | {"inputs": inputs}))


def test_a_folder_in_place_of_the_file_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        load_dataset(tmp_path)
    save_dataset(tmp_path / "good.npz", Dataset(**GOOD))
    load_dataset(tmp_path / "good.npz")


@fuzz
@given(
    header=st.binary(max_size=16) | st.just(b"\0\0\x08\x03") | st.just(b"\0\0\x08\x01"),
    sizes=st.lists(st.sampled_from([0, 1, 2, 255, 2**31, 2**32 - 1]), max_size=4),
    rest=st.binary(max_size=20),
    ndim=st.sampled_from([1, 3]),
)
@example(b"\0\0\x08\x03", [0, 2**32 - 1, 2**32 - 1], b"", 3)
def test_any_idx_file_is_read_or_refused_in_a_line(
    tmp_path: Path, header: bytes, sizes: list[int], rest: bytes, ndim: int
) -> None:
    path = tmp_path / "a.gz"
    content = header + b"".join(size.to_bytes(4, "big") for size in sizes) + rest
    for packed in (content, gzip.compress(content), gzip.compress(content)[:-3]):
        path.write_bytes(packed)
        try:
            assert read_idx(path, ndim).ndim == ndim
        except IdxError as error:
            in_one_line(error)
