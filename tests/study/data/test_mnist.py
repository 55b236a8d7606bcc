"""The files of MNIST, from a folder and from real servers on this machine."""

import gzip
import hashlib
import logging
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from study.data.dataset import Dataset
from study.data.download import KnownFile
from study.data.idx import IdxError
from study.data.mnist import (
    DownloadError,
    MnistConfig,
    download,
    load_mnist,
    read_folder,
)
from tests.study.data.mirrors import (
    FILES,
    LABELS,
    NAMES,
    PIXELS,
    REAL,
    TABLE,
    Server,
    mirrors,
    needs_real_files,
)


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where downloads go while they last; no proxy or local folder of the user's gets in."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("MIXUP_MNIST_DIR", raising=False)
    return folder


@pytest.fixture
def server() -> Iterator[Server]:
    with mirrors() as served:
        yield served


@pytest.fixture
def dead_mirror() -> str:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/mnist"


@pytest.fixture
def small_files(tmp_path: Path) -> Path:
    folder = tmp_path / "small files"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return folder


def assert_is_the_small_data_set(dataset: Dataset) -> None:
    np.testing.assert_array_equal(dataset.inputs, PIXELS)
    assert dataset.inputs.dtype == np.uint8
    assert dataset.labels.dtype == np.int64
    assert dataset.labels.tolist() == LABELS
    assert dataset.official_test.tolist() == [False] * 6 + [True] * 4
    assert len(set(dataset.group.tolist())) == 10


# Download


@pytest.mark.parametrize("behaviour", ["good", "moved", "compressing"])
def test_download_reads_the_four_files(
    server: Server, behaviour: str, temporary_folder: Path
) -> None:
    assert_is_the_small_data_set(download([server(behaviour)], TABLE))
    assert not list(temporary_folder.iterdir())


def test_the_first_good_mirror_is_the_only_one_asked(server: Server) -> None:
    download([server("good") + "/", server("missing")], TABLE)
    assert server.asked == [f"/good/{name}" for name in NAMES]


@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        ("missing", "HTTP 404 Not Found"),
        ("broken", "HTTP 503 Service Unavailable"),
        ("page", r"holds 26 bytes, expected [0-9,]+"),
        ("changed", r"holds [0-9,]+ bytes with sha256 [0-9a-f]{64}"),
        ("short", "IncompleteRead|holds [0-9,]+ bytes, expected"),
        ("cut", r"holds [0-9,]+ bytes, expected [0-9,]+"),
        pytest.param("silent", "timed out", marks=pytest.mark.slow),
    ],
)
def test_a_failing_mirror_is_named_and_the_next_one_used(
    server: Server,
    behaviour: str,
    answer: str,
    temporary_folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, timeout = server(behaviour), (10.0, 1.0)  # seconds; a good mirror needs none
    with pytest.raises(DownloadError, match=f"Tried {bad}/{NAMES[0]}: .*{answer}"):
        download([bad], TABLE, timeout)
    assert not list(temporary_folder.iterdir())

    with caplog.at_level(logging.WARNING):
        assert_is_the_small_data_set(download([bad, server("good")], TABLE, timeout))
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == 4
    for name, text in zip(NAMES, warnings, strict=True):
        assert text.startswith(f"{bad}/{name}: ")
        assert text.endswith(f"; used {server('good')}/{name} instead")
    assert not list(temporary_folder.iterdir())


def test_a_dead_mirror_is_passed_over(server: Server, dead_mirror: str) -> None:
    assert_is_the_small_data_set(download([dead_mirror, server("good")], TABLE))


def test_the_error_names_file_checksum_every_mirror_and_what_to_do(
    server: Server, dead_mirror: str, temporary_folder: Path
) -> None:
    nowhere = "http://mnist.invalid/mnist"
    with pytest.raises(DownloadError) as error:
        download([dead_mirror, server("missing"), nowhere], TABLE)
    message = str(error.value)
    assert message.startswith(f"{NAMES[0]} could not be downloaded, expected sha256 ")
    assert TABLE[NAMES[0]].sha256 in message
    assert f"{dead_mirror}/{NAMES[0]}: Connection refused; " in message
    assert f"{server('missing')}/{NAMES[0]}: HTTP 404 Not Found; " in message
    assert f"{nowhere}/{NAMES[0]}: " in message
    for advice in ("mnist.mirrors", "MIXUP_MNIST_DIR", "mnist.source=bundled"):
        assert advice in message
    assert "\n" not in message
    assert not list(temporary_folder.iterdir())


def test_files_may_come_from_different_mirrors(
    server: Server, small_files: Path, temporary_folder: Path
) -> None:
    (small_files / NAMES[0]).unlink()
    (small_files / NAMES[3]).write_bytes(b"damaged")
    assert_is_the_small_data_set(download([small_files.as_uri(), server("good")], TABLE))
    assert server.asked == [f"/good/{NAMES[0]}", f"/good/{NAMES[3]}"]
    assert not list(temporary_folder.iterdir())


def test_a_failure_after_good_files_leaves_nothing(
    small_files: Path, temporary_folder: Path
) -> None:
    (small_files / NAMES[3]).unlink()
    with pytest.raises(DownloadError, match=rf"^{NAMES[3]} .*No such file or directory"):
        download([small_files.as_uri()], TABLE)
    assert not list(temporary_folder.iterdir())


def test_a_file_mirror_is_read_and_left_alone(small_files: Path) -> None:
    assert "%20" in small_files.as_uri()
    assert_is_the_small_data_set(download([small_files.as_uri()], TABLE))
    assert {path.name: path.read_bytes() for path in small_files.iterdir()} == FILES


def test_a_file_that_is_as_expected_and_not_idx_is_refused(small_files: Path) -> None:
    content = gzip.compress(b"something else")
    (small_files / NAMES[0]).write_bytes(content)
    known = KnownFile(len(content), hashlib.sha256(content).hexdigest())
    table = {**TABLE, NAMES[0]: known}
    with pytest.raises(IdxError, match=rf"{NAMES[0]} is not an IDX file"):
        read_folder(small_files, table)


# A local folder


def test_a_folder_is_read_and_left_alone(small_files: Path) -> None:
    assert_is_the_small_data_set(read_folder(small_files, TABLE))
    assert {path.name: path.read_bytes() for path in small_files.iterdir()} == FILES


def test_a_folder_that_lacks_a_file_is_refused(small_files: Path) -> None:
    (small_files / NAMES[2]).unlink()
    with pytest.raises(DownloadError, match=rf"{NAMES[2]}: No such file.*{TABLE[NAMES[2]].sha256}"):
        read_folder(small_files, TABLE)


def test_a_folder_with_another_file_is_refused(
    small_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIXUP_MNIST_DIR", str(small_files))
    with pytest.raises(
        DownloadError, match=r"bytes, expected 9,912,422; expected sha256 440f.*MIXUP_MNIST_DIR"
    ):
        load_mnist(MnistConfig(source="download", mirrors=["https://mnist.invalid/"]))


@pytest.mark.slow
@needs_real_files
@pytest.mark.parametrize("way", ["mirror", "folder"])
def test_the_real_files(way: str, monkeypatch: pytest.MonkeyPatch, temporary_folder: Path) -> None:
    if way == "folder":  # takes precedence over the mirrors
        monkeypatch.setenv("MIXUP_MNIST_DIR", str(REAL))
    mirror = REAL.as_uri() if way == "mirror" else "https://mnist.invalid/"
    dataset = load_mnist(MnistConfig(source="download", mirrors=[mirror]))
    assert not list(temporary_folder.iterdir())

    train, test = dataset.labels[:60000], dataset.labels[60000:]
    assert dataset.inputs.shape == (70000, 784)
    assert dataset.inputs.dtype == np.uint8
    assert not dataset.official_test[:60000].any()
    assert dataset.official_test[60000:].all()
    assert np.bincount(train).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    assert np.bincount(test).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    for pixels, mean, std in [
        (dataset.inputs[:60000], 0.13066, 0.30811),
        (dataset.inputs[60000:], 0.13252, 0.31048),
    ]:
        assert pixels.mean() / 255 == pytest.approx(mean, abs=1e-5)
        assert pixels.std() / 255 == pytest.approx(std, abs=1e-5)
