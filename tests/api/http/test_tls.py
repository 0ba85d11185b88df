"""By TLS too, connections are bounded from their first moment, and nobody who is silent keeps others out."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic

import pytest
from starlette.responses import PlainTextResponse
from support.certificates import make_certificate
from support.sockets import WAIT_SECONDS, answered, connected, running, served, status_of

from api.http.server import Connections

ASK = b"GET / HTTP/1.1\r\nHost: clinic\r\nConnection: close\r\n\r\n"
HELLO_BEGUN = b"\x16\x03\x01\x02\x00\x01"
"""The first bytes of a handshake."""

answer = PlainTextResponse("here")


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return how a server and its callers speak TLS."""
    file = make_certificate(tmp_path, "clinic")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context, ssl.create_default_context(cafile=str(file))


@contextmanager
def agreed(port: int, trusted: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
    """Connect by TLS."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS)
    with trusted.wrap_socket(plain, server_hostname="clinic") as connection:
        yield connection


def asked(port: int, trusted: ssl.SSLContext) -> int:
    """Return the status of an answer."""
    with agreed(port, trusted) as connection:
        connection.sendall(ASK)
        return status_of(connection)


def wait_for(shared: Connections, count: int) -> None:
    """Wait until there are so many connections."""
    until = monotonic() + WAIT_SECONDS
    while shared.count != count:
        assert monotonic() < until, shared.count


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_requests_are_answered_by_tls(tls: tuple[ssl.SSLContext, ssl.SSLContext], loop: str) -> None:
    with served(answer, shared := Connections(), tls=tls[0], loop=loop) as port:
        assert [asked(port, tls[1]) for _ in range(20)] == [200] * 20
        wait_for(shared, 0)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_request_that_comes_with_the_end_of_the_handshake_is_answered(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.runtime.tls.END_SECONDS", 0.05)
    with served(answer, Connections(), tls=tls[0], loop=loop) as port, connected(port) as connection:
        came, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        speaking = tls[1].wrap_bio(came, sent, server_hostname="clinic")
        with pytest.raises(ssl.SSLWantReadError):
            speaking.do_handshake()
        connection.sendall(sent.read())
        is_agreed = False
        while not is_agreed:
            came.write(connection.recv(65_536))
            try:
                speaking.do_handshake()
                is_agreed = True
            except ssl.SSLWantReadError:
                continue
        speaking.write(ASK)
        connection.sendall(sent.read())  # our end of the handshake and the request at once
        came.write(answered(connection))
        assert speaking.read(65_536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("sent", [b"", HELLO_BEGUN], ids=["nothing", "half a hello"])
def test_silent_connections_keep_nobody_out(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], sent: bytes, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.runtime.tls.MAX_HANDSHAKES", 20)
    with running(answer, Connections(), tls[0], loop=loop) as (port, server), ExitStack() as stack:
        silent = [stack.enter_context(connected(port, sent)) for _ in range(60)]
        assert [asked(port, tls[1]) for _ in range(5)] == [200] * 5
        assert server.listener is not None and server.listener.count <= 20
        assert [answered(connection) for connection in silent[:40]] == [b""] * 40


def test_by_the_loops_own_tls_they_would_be_kept_uncounted(tls: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path) -> None:
    shared = Connections(most=20)
    with served(answer, shared, ssl_certfile=tmp_path / "server.pem") as port, ExitStack() as stack:
        silent = [stack.enter_context(connected(port)) for _ in range(60)]
        assert asked(port, tls[1]) == 200
        wait_for(shared, 0)
        assert all(is_open(connection) for connection in silent)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("sent", [b"", HELLO_BEGUN, b"GET / HTTP/1.1\r\n\r\n"], ids=["nothing", "half a hello", "no TLS"])
def test_who_does_not_agree_in_time_is_let_go(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], sent: bytes, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.runtime.tls.HANDSHAKE_SECONDS", 0.05)
    with served(answer, Connections(), tls=tls[0], loop=loop) as port, connected(port, sent) as connection:
        assert not answered(connection).startswith(b"HTTP")


def is_open(connection: socket.socket) -> bool:
    """Return whether the other side has not ended a silent connection."""
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
