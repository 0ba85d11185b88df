"""Calendar servers on loopback that do what no server should, each by the path that it is asked for.

While ``hostile`` is not set, every path is an innocent calendar.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import chain, repeat
from pathlib import Path

from support.certificates import make_certificate

from api.runtime.fetching import Address, Fetcher, is_public

NAME = "calendars.example"
DROP_SECONDS = 0.02

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/calendar\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

Behaviour = Iterator[bytes]
"""What is sent, piece by piece; an empty piece is a pause."""


def in_drops(head: bytes, drop: bytes) -> Behaviour:
    """Send something, and then a few bytes now and again without end."""
    yield head
    while True:
        yield drop
        yield b""


def at_once(answer: bytes) -> Behaviour:
    yield answer


def without_end(head: bytes, piece: bytes) -> Behaviour:
    return chain([head], repeat(piece))


def redirect(target: bytes) -> Behaviour:
    return at_once(b"HTTP/1.1 302 Found\r\nLocation: " + target + b"\r\nContent-Length: 0\r\n\r\n")


def whole(body: bytes, *headers: bytes) -> bytes:
    return OK + b"".join(header + b"\r\n" for header in headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body


HOSTILE: dict[str, Callable[[], Behaviour]] = {
    "status-in-drops": lambda: in_drops(b"HTTP/1.1 ", b"0"),
    "headers-in-drops": lambda: in_drops(OK, b"X: y\r\n"),
    "header-in-drops": lambda: in_drops(OK + b"X: ", b"y"),
    "body-in-drops": lambda: in_drops(OK + b"Content-Length: 900\r\n\r\n", b"x"),
    "chunk-lines-in-drops": lambda: in_drops(CHUNKED, b"1\r\nx\r\n"),
    "chunk-line-in-drops": lambda: in_drops(CHUNKED + b"1;a=", b"b"),
    "continue-in-drops": lambda: in_drops(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "silence": lambda: in_drops(b"", b""),
    "headers-without-end": lambda: without_end(OK, b"X-Filler: " + b"y" * 1000 + b"\r\n"),
    "body-without-end": lambda: without_end(CHUNKED, b"400\r\n" + b"x" * 1024 + b"\r\n"),
    "continue-without-end": lambda: without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "redirect-to-no-address": lambda: redirect(b"https://[::1/x"),
    "redirect-to-itself": lambda: redirect(b"/redirect-to-itself"),
    "redirect-inside": lambda: redirect(b"https://127.0.0.2/x"),
    "redirect-in-the-clear": lambda: redirect(b"http://calendars.example/x"),
    "compressed": lambda: at_once(whole(b"x", b"Content-Encoding: gzip")),
    "no-http": lambda: at_once(b"\x00\xff\xfe nothing of the kind \r\n\r\n"),
    "wrong-chunk": lambda: at_once(CHUNKED + b"zz\r\nx\r\n"),
    "cut-short": lambda: at_once(OK + b"Content-Length: 900\r\n\r\nBEGIN:VCALENDAR"),
    "wrong-length": lambda: at_once(OK + b"Content-Length: -1\r\n\r\nBEGIN:VCALENDAR"),
    "error": lambda: at_once(b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n"),
    "switching": lambda: at_once(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    "no-calendar": lambda: at_once(whole(b"<html>log in first</html>")),
    "too-many-repetitions": lambda: at_once(whole(b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 9)),
}


@dataclass
class CalendarServers:
    """The servers, and what their paths give while they behave."""

    port: int
    context: ssl.SSLContext
    content: bytes
    hostile: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)

    def fetcher(self, seconds: float, max_bytes: int = 100_000) -> Fetcher:
        """Return a fetcher to which these servers are public, and nothing else that is not."""

        def is_allowed(address: Address) -> bool:
            return str(address) == "127.0.0.1" or is_public(address)

        def resolve(host: str, port: int) -> list[Address]:
            return [ip_address("127.0.0.1" if host == NAME else host)]

        return Fetcher(max_bytes, seconds, is_allowed, resolve, self.context)

    def url(self, path: str) -> str:
        return f"https://{NAME}:{self.port}/{path}"

    def serve(self, connection: socket.socket, tls: ssl.SSLContext) -> None:
        """Answer one request."""
        with suppress(OSError, ValueError), tls.wrap_socket(connection, server_side=True) as secure:
            request = b""
            while b"\r\n\r\n" not in request:
                piece = secure.recv(4096)
                if not piece:
                    return
                request += piece
            path = request.split(b" ")[1].decode().strip("/")
            is_hostile = self.hostile.is_set() and path in HOSTILE
            for piece in HOSTILE[path]() if is_hostile else at_once(whole(self.content, 'ETag: "é"'.encode("latin-1"))):
                if self.stopping.is_set() or (not piece and self.stopping.wait(DROP_SECONDS)):
                    return
                secure.sendall(piece)


@contextmanager
def calendar_servers(folder: Path, content: bytes) -> Iterator[CalendarServers]:
    """Serve within the ``with`` block."""
    file = make_certificate(folder, NAME)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file)
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        servers = CalendarServers(listening.getsockname()[1], ssl.create_default_context(cafile=str(file)), content)

        def accept() -> None:
            with suppress(OSError):
                while not servers.stopping.is_set():
                    connection, _ = listening.accept()
                    connection.settimeout(10)
                    threads.append(threading.Thread(target=servers.serve, args=(connection, tls)))
                    threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield servers
        finally:
            servers.stopping.set()
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()
