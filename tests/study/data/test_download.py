"""Downloads from real servers on this machine that mean no good."""

import hashlib
import itertools
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from study.data.download import FetchError, KnownFile, fetch, verify
from tests.certificates import certificate

CONTENT = bytes(range(256)) * 10
KNOWN = KnownFile(len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
MEGABYTE = bytes(1 << 20)


class Hostile(BaseHTTPRequestHandler):
    """The path says what the server does."""

    sent = 0
    closing: threading.Event

    def do_GET(self) -> None:
        behaviour, _, rest = self.path[1:].partition("/")
        getattr(self, behaviour)(unquote(rest))

    def good(self, rest: str) -> None:
        self.head(200, **{"Content-Length": str(len(CONTENT))})
        self.wfile.write(CONTENT)

    def endless(self, rest: str) -> None:
        self.head(200)
        self.pour()

    def small_it_says(self, rest: str) -> None:
        self.head(200, **{"Content-Length": "10"})
        self.pour()

    def drip(self, rest: str) -> None:
        self.head(200)
        while not self.closing.wait(0.01):
            self.wfile.write(b"x")

    def drip_headers(self, rest: str) -> None:
        self.send_response(200)
        self.flush_headers()
        while not self.closing.wait(0.01):
            self.wfile.write(b"x")

    def to(self, target: str) -> None:
        """Redirect, with a body that does not end."""
        self.head(302, Location=target)
        self.pour()

    def around(self, rest: str) -> None:
        self.head(302, Location=f"/around/{rest}x")

    def named(self, name: str) -> None:
        self.head(200, **{"Content-Disposition": f"attachment; filename={name.replace('|', '/')}"})
        self.wfile.write(CONTENT)

    def said_to_be_compressed(self, rest: str) -> None:
        self.head(200, **{"Content-Encoding": "gzip"})
        self.wfile.write(CONTENT)

    def in_chunks(self, rest: str) -> None:
        self.protocol_version = "HTTP/1.1"
        self.head(200, **{"Transfer-Encoding": "chunked"})
        for part in (CONTENT[:1000], CONTENT[1000:], b""):
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")

    def head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def pour(self) -> None:
        for _ in itertools.count():
            try:
                self.wfile.write(MEGABYTE)
            except OSError:
                return
            type(self).sent += len(MEGABYTE)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hostile() -> type[Hostile]:
    return type("Handler", (Hostile,), {"closing": threading.Event()})


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")


@pytest.fixture
def serve(hostile: type[Hostile]) -> Iterator[Callable[..., str]]:
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(context: ssl.SSLContext | None = None) -> str:
        http = ThreadingHTTPServer(("127.0.0.1", 0), hostile)
        if context:
            http.socket = context.wrap_socket(http.socket, server_side=True)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((http, thread))
        return f"{'https' if context else 'http'}://localhost:{http.server_port}"

    yield start
    hostile.closing.set()
    for http, thread in servers:
        http.shutdown()
        thread.join()
        http.server_close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the file is to go, alone in its folder."""
    (tmp_path / "into").mkdir()
    return tmp_path / "into/file.gz"


@pytest.mark.parametrize("behaviour", ["good", "in_chunks", "said_to_be_compressed"])
def test_what_is_offered_arrives_as_it_is(
    serve: Callable[..., str], target: Path, behaviour: str
) -> None:
    fetch(f"{serve()}/{behaviour}", target, KNOWN.size)
    verify(target, KNOWN)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("behaviour", ["endless", "to//endless", "to//good"])
def test_no_more_than_the_known_size_is_taken(
    serve: Callable[..., str], hostile: type[Hostile], target: Path, behaviour: str
) -> None:
    if behaviour.endswith("good"):
        fetch(f"{serve()}/{behaviour}", target, KNOWN.size)
        verify(target, KNOWN)
    else:
        with pytest.raises(FetchError, match="holds more than the 2,560 bytes expected"):
            fetch(f"{serve()}/{behaviour}", target, KNOWN.size)
        assert target.stat().st_size <= KNOWN.size
    assert hostile.sent < 20 * len(MEGABYTE)  # what the sockets buffer, at most


def test_a_length_that_is_a_lie_ends_the_file(serve: Callable[..., str], target: Path) -> None:
    fetch(f"{serve()}/small_it_says", target, KNOWN.size)
    with pytest.raises(FetchError, match="holds 10 bytes, expected 2,560"):
        verify(target, KNOWN)


@pytest.mark.parametrize("what", ["drip", "drip_headers"])
def test_a_dripping_server_is_left(what: str, serve: Callable[..., str], target: Path) -> None:
    with pytest.raises(FetchError, match=r"took longer than 0\.2 s"):
        fetch(f"{serve()}/{what}", target, KNOWN.size, most_seconds=0.2)


@pytest.mark.parametrize(
    "place", ["file:///etc/hostname", "ftp://localhost/x", "FILE:/etc/hostname", "gopher:x"]
)
def test_redirects_to_other_schemes_are_not_followed(
    serve: Callable[..., str], target: Path, place: str
) -> None:
    with pytest.raises(FetchError, match=r"redirects to .*, which is not followed"):
        fetch(f"{serve()}/to/{place}", target, KNOWN.size)
    assert not target.exists()


def test_redirects_in_a_circle_end(serve: Callable[..., str], target: Path) -> None:
    with pytest.raises(FetchError, match="redirects more than 5 times"):
        fetch(f"{serve()}/around/", target, KNOWN.size)


def test_https_does_not_lead_to_http(
    serve: Callable[..., str], target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "certificate.pem"))
    http, https = serve(), serve(context)
    fetch(f"{http}/to/{https}/good", target, KNOWN.size)
    verify(target, KNOWN)
    with pytest.raises(FetchError, match=f"redirects to '{http}/good', which is not followed"):
        fetch(f"{https}/to/{http}/good", target, KNOWN.size)


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "other.gz"])
def test_a_server_does_not_choose_the_files_name(
    serve: Callable[..., str], target: Path, tmp_path: Path, name: str
) -> None:
    fetch(f"{serve()}/named/" + name.replace("/", "|"), target, KNOWN.size)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [target]


def test_an_endless_local_file_is_left(target: Path) -> None:
    with pytest.raises(FetchError, match="holds more than the 2,560 bytes expected"):
        fetch("file:///dev/zero", target, KNOWN.size)
    with pytest.raises(FetchError, match="holds 0 bytes, expected 2,560"):
        verify(Path("/dev/zero"), KNOWN)


def test_a_file_of_the_right_size_is_not_yet_the_right_file(target: Path) -> None:
    target.write_bytes(CONTENT[::-1])
    with pytest.raises(FetchError, match="holds 2,560 bytes with sha256 "):
        verify(target, KNOWN)
