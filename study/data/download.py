"""Fetch a file that is known byte for byte, from whoever offers it, without trusting them."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError

SCHEMES = ("http", "https")
TIMEOUT = (10.0, 30.0)
MOST_SECONDS = 3600.0
MOST_REDIRECTS = 5
CHUNK = 1 << 16


class KnownFile(NamedTuple):
    """What a file must be, byte for byte."""

    size: int
    sha256: str


class FetchError(Exception):
    """What was offered is not what is asked for, or not offered in a way that is accepted."""


def verify(path: Path, known: KnownFile) -> None:
    """Check a file's size and SHA-256, reading it only if its size is right.

    Raises:
        FetchError: it is no file, or another one.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if not path.is_file() or size != known.size:
        raise FetchError(f"holds {size:,} bytes, expected {known.size:,}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != known.sha256:
        raise FetchError(f"holds {size:,} bytes with sha256 {found}")


def fetch(
    url: str,
    path: Path,
    size: int,
    timeout: tuple[float, float] = TIMEOUT,
    most_seconds: float = MOST_SECONDS,
) -> None:
    """Write what ``url`` offers to ``path``.

    Args:
        url: http, https or file; redirects lead to https, or from http to http, and nowhere else.
        path: where it goes; nothing that a server says changes that.
        size: bytes it may have; reading stops at the first one more.
        timeout: seconds to wait for a connection, and for the next bytes.
        most_seconds: seconds that the answer may take to begin, and then the rest of it.

    Raises:
        FetchError: it is longer or takes longer, or a redirect leads elsewhere.
        OSError: it cannot be had; requests' errors are OSErrors.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        with open(url2pathname(parts.path), "rb") as source:
            _copy(iter(lambda: source.read(CHUNK), b""), path, size, most_seconds)
        return
    label = f"{path.name} from {parts.hostname}"
    with (
        _Session() as session,
        closing(_answer_within(most_seconds, session, url, timeout)) as response,
        # Shown on terminals only.
        tqdm(desc=label, total=size, unit="B", unit_scale=True, leave=False, disable=None) as bar,
    ):
        _copy(_arriving(response, bar), path, size, most_seconds)


class _Session(requests.Session):
    """A session that leaves redirects alone: requests would read even an endless body."""

    def resolve_redirects(self, *_: Any, **__: Any) -> Any:
        return iter(())


def _answer_within(
    seconds: float, session: _Session, url: str, timeout: tuple[float, float]
) -> requests.Response:
    """Give up on a server whose headers come byte by byte, for none of which one waits long."""
    answer: Future[requests.Response] = Future()

    def ask() -> None:
        try:
            answer.set_result(_answer(session, url, timeout))
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError as error:
        raise FetchError(f"took longer than {seconds:g} s to answer") from error


def _answer(session: _Session, url: str, timeout: tuple[float, float]) -> requests.Response:
    # A server that is allowed to compress may have the file unzipped on its way.
    headers = {"Accept-Encoding": "identity"}
    for _ in range(1 + MOST_REDIRECTS):
        response = session.get(url, stream=True, timeout=timeout, headers=headers)
        if response.ok and not response.is_redirect:
            return response
        response.close()
        response.raise_for_status()
        target = urljoin(url, response.headers["Location"])
        if urlsplit(target).scheme not in ("https", urlsplit(url).scheme):
            raise FetchError(f"redirects to {target[:200]!r}, which is not followed")
        url = target
    raise FetchError(f"redirects more than {MOST_REDIRECTS} times")


def _copy(chunks: Iterable[bytes], path: Path, size: int, most_seconds: float) -> None:
    end = time.monotonic() + most_seconds
    written = 0
    with path.open("wb") as file:
        for chunk in chunks:
            written += len(chunk)
            if written > size:
                raise FetchError(f"holds more than the {size:,} bytes expected")
            if time.monotonic() > end:
                raise FetchError(f"took longer than {most_seconds:g} s for {written:,} bytes")
            file.write(chunk)


def _arriving(response: requests.Response, bar: tqdm[Any]) -> Iterator[bytes]:
    """Yield bytes as they come, few or many, and as they are, compressed or not."""
    try:
        while chunk := response.raw.read1(CHUNK, decode_content=False):
            bar.update(len(chunk))
            yield chunk
    except HTTPError as error:  # urllib3's, which is no OSError
        raise FetchError(" ".join(str(error).split())) from error
