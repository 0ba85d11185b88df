"""The server before Radicale: few connections, of which those that only wait give way, and requests that have to end in time.

Radicale's own takes nobody as long as eight connections say nothing. Here a request is whole before anything looks at it.
"""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException
from io import BufferedIOBase, BytesIO
from socketserver import ThreadingMixIn
from threading import Lock
from time import monotonic
from typing import Any
from wsgiref.simple_server import WSGIServer

from radicale.server import RequestHandler

MAX_CONNECTIONS = 64

MAX_HEAD_BYTES = 64 * 1024

MAX_BODY_BYTES = 1_000_000
"""Longest body: nothing is written here, and what is asked for is named in a few lines of XML."""

ARRIVAL_SECONDS = 15.0
"""How long a request may take to arrive."""

ANSWER_SECONDS = 60.0
"""How long its answer may take to be made and taken."""

LOOK_SECONDS = 0.5

log = logging.getLogger(__name__)


class _Head(BufferedIOBase):
    """What arrives, of which no more than a head may have is read by lines."""

    def __init__(self, arriving: Any) -> None:
        self._arriving = arriving
        self._left = MAX_HEAD_BYTES

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read a line."""
        line: bytes = self._arriving.readline(self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise HTTPException("too long a head")
        return line


class Handler(RequestHandler):
    """Answers one request, once all of it is there."""

    server: CalendarServer

    def setup(self) -> None:
        """Begin to read."""
        super().setup()
        self._arriving: Any = self.rfile
        self.rfile = _Head(self._arriving)

    def parse_request(self) -> bool:
        """Read the whole of a request; return whether it is one."""
        if not super().parse_request():
            return False
        said = self.headers.get("content-length", "0")
        if not said.isdecimal() or len(said) > len(str(MAX_BODY_BYTES)) or int(said) > MAX_BODY_BYTES:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return False
        body = self._arriving.read(int(said))
        self.rfile = BytesIO(body)
        return len(body) == int(said) and self.server.has_arrived(self.connection)

    def finish(self) -> None:
        """End what is read and written."""
        super().finish()
        self._arriving.close()


class CalendarServer(ThreadingMixIn, WSGIServer):
    """Answers each connection in a thread; one too many takes the place of that which has waited longest for its caller."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int]) -> None:
        self.address_family = family
        self._lock = Lock()
        self._until: dict[Any, float] = {}
        self._arriving: dict[Any, None] = {}
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        """Listen to the one address that was given: one of IPv6 takes no IPv4 in."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        super().server_bind()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin to answer a connection, when there is a place for it."""
        with self._lock:
            oldest = next(iter(self._arriving), request) if len(self._until) >= MAX_CONNECTIONS else None
            if oldest is not request:
                self._until[request] = monotonic() + ARRIVAL_SECONDS
                self._arriving[request] = None
            if oldest is not None:
                self._shut(oldest)
        if oldest is request:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def has_arrived(self, request: Any) -> bool:
        """Note that all of a request is there, so that it gives way to nobody; return whether it has not given way before."""
        with self._lock:
            if request not in self._arriving:
                return False
            del self._arriving[request]
            self._until[request] = monotonic() + ANSWER_SECONDS
            return True

    def service_actions(self) -> None:
        """End what has taken too long."""
        now = monotonic()
        with self._lock:
            for request in [request for request, until in self._until.items() if until < now]:
                self._shut(request)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection, and close it."""
        with self._lock:
            self._until.pop(request, None)
            self._arriving.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say that a connection has failed: mostly its caller has left."""
        log.info("a connection has ended before its answer was taken", exc_info=True)

    def _shut(self, request: Any) -> None:
        self._until.pop(request, None)
        self._arriving.pop(request, None)
        with suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)  # its thread, which reads or writes, comes to an end by that


def bind(hosts: str, application: Any) -> list[CalendarServer]:
    """Return a server for each address that a host's name and a port have. Raises ``OSError`` when none can be listened to."""
    host, port = hosts.rsplit(":", 1)
    servers, errors = list[CalendarServer](), list[OSError]()
    for family, _, _, _, address in socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM):
        try:
            servers.append(CalendarServer(family, (str(address[0]), int(address[1]))))
        except OSError as error:  # a name may have an address of a kind that the machine does not speak
            log.warning("nobody is served at %s: %s", address[0], error.strerror)
            errors.append(error)
    if not servers:
        raise errors[0]
    for server in servers:
        server.set_app(application)
    return servers
