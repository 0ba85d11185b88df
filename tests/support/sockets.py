"""A server on loopback in this process, and requests that no client would send."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from api.http.server import Connections, Server, make_protocol

WAIT_SECONDS = 30
"""Longest wait for an answer; what is tested answers at once."""


@contextmanager
def served(app: ASGIApp, shared: Connections, **options: Any) -> Iterator[int]:
    """Serve an application, and return the port; ``options`` are of the server."""
    with running(app, shared, **options) as (port, _):
        yield port


@contextmanager
def running(
    app: ASGIApp, shared: Connections, tls: ssl.SSLContext | None = None, **options: Any
) -> Iterator[tuple[int, Server]]:
    """Serve an application, and return the port and the server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        given: dict[str, Any] = {"ws": "none", "log_config": None, "timeout_graceful_shutdown": 5, **options}
        config = uvicorn.Config(app, http=make_protocol(shared), **given)
        server = Server(config, tls)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield listening.getsockname()[1], server
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def connected(port: int, *parts: bytes, source: str = "127.0.0.1") -> Iterator[socket.socket]:
    """Connect from an address of loopback, and send parts of a request."""
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS, source_address=(source, 0)) as connection:
        for part in parts:
            connection.sendall(part)
        yield connection


def answered(connection: socket.socket) -> bytes:
    """Return all that is answered until the connection ends, by whatever it ends."""
    answer = b""
    try:
        while more := connection.recv(65_536):
            answer += more
    except ConnectionResetError:
        pass
    return answer


def status_of(connection: socket.socket) -> int:
    """Return the status of the answer, 0 when the connection ends without one."""
    answer = answered(connection)
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0
