"""The four files of MNIST, small, and mirrors on this machine that serve them well or badly."""

import gzip
import hashlib
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from study.data.download import KnownFile

NAMES = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
]
REAL = Path(__file__).parents[3].parent / "shared" / "mnist"
needs_real_files = pytest.mark.skipif(
    not all((REAL / name).exists() for name in NAMES), reason="the MNIST files are not there"
)


def idx_images(pixels: np.ndarray) -> bytes:
    return gzip.compress(struct.pack(">4i", 2051, len(pixels), 28, 28) + pixels.tobytes())


def idx_labels(labels: list[int]) -> bytes:
    return gzip.compress(struct.pack(">2i", 2049, len(labels)) + bytes(labels))


# Six training and four test images of noise.
PIXELS = np.random.default_rng(0).integers(0, 256, (10, 784), dtype=np.uint8)


LABELS = [5, 0, 4, 1, 9, 2, 7, 2, 1, 0]


FILES = dict(
    zip(
        NAMES,
        [
            idx_images(PIXELS[:6]),
            idx_labels(LABELS[:6]),
            idx_images(PIXELS[6:]),
            idx_labels(LABELS[6:]),
        ],
        strict=True,
    )
)


TABLE = {
    name: KnownFile(len(content), hashlib.sha256(content).hexdigest())
    for name, content in FILES.items()
}


class Mirrors(BaseHTTPRequestHandler):
    """A mirror for each first part of the path, each with a behaviour of its own."""

    asked: list[str]
    closing: threading.Event

    def do_GET(self) -> None:
        self.asked.append(self.path)
        _, behaviour, name = self.path.split("/")
        content = FILES[name]
        match behaviour:
            case "good":
                self.answer(200, content)
            case "missing":
                self.answer(404, b"not here")
            case "broken":
                self.answer(503, b"later")
            case "page":
                self.answer(200, b"<html>Please log in</html>")
            case "changed":
                self.answer(200, content[:-1] + b"\1")
            case "short":  # the connection ends early
                self.answer(200, content[:-100], length=len(content))
            case "cut":  # the mirror's own copy is truncated
                self.answer(200, content[:-100])
            case "moved":
                self.answer(302, b"", Location=f"/good/{name}")
            case "compressing":
                accepted = "gzip" in self.headers.get("Accept-Encoding", "")
                self.answer(200, content, **({"Content-Encoding": "gzip"} if accepted else {}))
            case "silent":
                self.closing.wait(10)

    def answer(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server:
    def __init__(self, port: int, asked: list[str]) -> None:
        self.port, self.asked = port, asked

    def __call__(self, behaviour: str) -> str:
        return f"http://127.0.0.1:{self.port}/{behaviour}"


@contextmanager
def mirrors() -> Iterator[Server]:
    """Serve as long as the block takes."""
    closing = threading.Event()
    asked: list[str] = []
    handler = type("Handler", (Mirrors,), {"asked": asked, "closing": closing})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Server(http.server_port, asked)
        closing.set()
        http.shutdown()
        thread.join()
