"""The server: uvicorn's own protocol, and bounds on what a request may be before there is a request to look at.

uvicorn bounds the headers that h11 reads, which takes several times the processor time of httptools; of httptools it bounds
nothing, and neither parser's requests ever have to end. So what arrives is bounded here, for any parser's sake as little as
can be: bytes and number of headers, the time in which a request has to be there, and how many connections are kept.

References
----------
RFC 9110, section 15.5.9 (408), and RFC 6585, section 5 (431).
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from asyncio.events import TimerHandle
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from socket import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from api.http.errors import PROBLEM_MEDIA_TYPE, PROBLEM_TYPE, RETRY_SECONDS
from api.http.strangers import Strangers, find_network
from api.runtime.tls import TlsListener

MAX_HEAD_BYTES = 32 * 1024
"""Longest start line with headers; browsers send a few thousand bytes."""

MAX_HEADERS = 100

ARRIVAL_SECONDS = 15.0
"""How long a request may take to arrive."""

STALL_SECONDS = 30.0
"""How long a caller may take nothing of an answer."""

BYTES_PER_SECOND = 32 * 1024
"""How fast a body has to arrive beyond that: the largest takes some nine minutes at most."""

EARLY_BYTES = 64 * 1024
"""How much of a stranger's body is there before anybody looks at the request: half-sent ones take no place in the line."""

MAX_PIPELINED = 4
"""Requests that one connection may send before the first is answered: clients have given that up, and each is held whole."""

START_LINE_END = b" HTTP/1.1\r\n"
"""What each request's first line ends in, and hardly any line of a body."""

MAX_CONNECTIONS = 500
"""Connections that one process keeps; beside its files that fits into the 1,024 that systems usually allow it."""

_log = logging.getLogger("uvicorn.protocol")
_log.setLevel(logging.ERROR)  # a line for each nonsense that is no request would be as many as its sender likes


@dataclass(slots=True)
class Connections:
    """The connections of one process that wait for their callers, the one that has waited longest first.

    Attributes
    ----------
    count : int
        All that are open, those that are being answered too.
    """

    most: int = MAX_CONNECTIONS
    arrival_seconds: float = ARRIVAL_SECONDS
    count: int = 0
    waiting: dict[BoundedProtocol, None] = field(default_factory=dict)
    strangers: Strangers = field(default_factory=Strangers)


class BoundedProtocol(HttpToolsProtocol):
    """A connection whose requests have to arrive whole, in time, and with a small head.

    When there are too many connections, the one that has waited for its caller longest gives way: half-sent requests keep
    nobody out who sends a whole one.
    """

    shared: Connections

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._timer: TimerHandle | None = None
        self._stall: TimerHandle | None = None
        self._since = 0.0
        self._received = self._body_received = self._headers_received = 0
        self._refusal = HTTPStatus.BAD_REQUEST
        self.logger = _log
        self._answered: RequestResponseCycle | None = None
        self._arriving: tuple[RequestResponseCycle, Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, and the place of another when there are too many."""
        super().connection_made(transport)
        self.shared.count += 1
        if self.shared.count > self.shared.most:
            oldest = next(iter(self.shared.waiting), None)
            if oldest is None:
                self.refuse(HTTPStatus.SERVICE_UNAVAILABLE)
                return
            oldest.refuse(HTTPStatus.REQUEST_TIMEOUT)
        self._await()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self.shared.count -= 1
        self._arrived()
        if self._stall is not None:
            self._stall.cancel()
        super().connection_lost(exc)
        if self._answered is not None and not self._answered.response_complete:
            _tell_gone(self._answered)  # another request may have come after it, which alone would be told

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; more than a head and its body may have is refused."""
        if self.transport.is_closing():
            return
        if not self._body_received and data.count(START_LINE_END) > MAX_PIPELINED:  # parsing them would cost ten times as much
            self.refuse(HTTPStatus.TOO_MANY_REQUESTS)
            return
        self._received += len(data)
        super().data_received(data)
        if self._received - self._body_received > MAX_HEAD_BYTES + self._body_received and not self.transport.is_closing():
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._headers_received = 0
        self._body_received = 0
        self._await()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer."""
        self._headers_received += 1
        if self._headers_received > MAX_HEADERS:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise ValueError("too many headers")  # the parser stops, and the request is refused
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the head is too long, or too much waits for an answer already."""
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD_BYTES:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise ValueError("too long a head")
        if len(self.pipeline) == MAX_PIPELINED:
            self._refusal = HTTPStatus.TOO_MANY_REQUESTS
            raise ValueError("too many requests before an answer")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._body_received += len(body)
        super().on_body(body)
        if self._arriving is not None and len(self.cycle.body) > EARLY_BYTES:
            self._stand_in_line(*self._arriving)

    def on_message_complete(self) -> None:
        """Have the whole of a request."""
        self._received = self._body_received = 0
        if self.cycle.response_complete:  # it was refused before it was there
            self.transport.close()
        self._arrived()
        super().on_message_complete()
        if self._arriving is not None:
            self._stand_in_line(*self._arriving)

    def on_response_complete(self) -> None:
        """Wait for the next request; of one that was answered before it was there, for the rest."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.cycle.more_body and not self.transport.is_closing():
            self._await()

    def pause_writing(self) -> None:
        """Wait for a caller who does not take an answer, but not for ever."""
        super().pause_writing()
        self._stall = self.loop.call_later(STALL_SECONDS, self.transport.abort)
        self.shared.waiting[self] = None

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        if self._timer is None:
            self.shared.waiting.pop(self, None)

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser does not take."""
        self.refuse(self._refusal)

    def _await(self) -> None:
        """Wait for the caller, but not for ever."""
        self._arrived()
        self._since = self.loop.time()
        self.shared.waiting[self] = None
        self._timer = self.loop.call_later(self.shared.arrival_seconds, self._look)

    def _arrived(self) -> None:
        self.shared.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Look whether what is waited for comes fast enough."""
        left = self._since + self.shared.arrival_seconds + self._body_received / BYTES_PER_SECOND - self.loop.time()
        is_answered = self.cycle is not None and self.cycle.response_complete
        if self.flow.read_paused and not is_answered:  # it is we who do not read yet
            left = self.shared.arrival_seconds
        if left > 0 and not is_answered:
            self._timer = self.loop.call_later(left, self._look)
        else:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)

    def refuse(self, status: HTTPStatus) -> None:
        """End the connection, with an answer to who has begun to ask and has none yet."""
        self._arrived()
        cycle = self.cycle
        is_next = cycle is None or (cycle.response_complete and not cycle.more_body)
        if (is_next or not cycle.response_started) and (self._received or status is not HTTPStatus.REQUEST_TIMEOUT):
            self.transport.write(_answer(status))
        if self._stall is None:
            self.transport.close()
        else:  # who takes nothing would not take the rest either
            self.transport.abort()
        for waiting in (cycle, self._answered):
            if waiting is not None and not waiting.response_complete:
                _tell_gone(waiting)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        noted: Any = self.shared.strangers.remember(app)
        if self.shared.strangers.knows(cycle.scope["headers"]):
            super()._start_asgi_task(cycle, noted)
        elif cycle.more_body and not cycle.waiting_for_100_continue and len(cycle.body) <= EARLY_BYTES:
            self._arriving = (cycle, noted)
        else:
            self._stand_in_line(cycle, noted)

    def _stand_in_line(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._arriving = None
        network = find_network(cycle.scope, getattr(self.app, "trusted_hosts", None))
        refuse = partial(self.refuse, HTTPStatus.SERVICE_UNAVAILABLE)
        self.shared.strangers.wait(cycle, partial(super()._start_asgi_task, cycle), app, refuse, network)


class Server(uvicorn.Server):
    """uvicorn's own server; where callers are spoken to by TLS, handshakes are bounded too."""

    def __init__(self, config: uvicorn.Config, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(config)
        self.tls = tls
        self.listener: TlsListener | None = None

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to listen."""
        if self.tls is None:
            await super().startup(sockets)
            return
        await super().startup([])
        make: Any = self.config.http_protocol_class
        given = {"config": self.config, "server_state": self.server_state, "app_state": self.lifespan.state}
        self.listener = TlsListener(self.tls, partial(make, **given))
        self.listener.listen(sockets or [], self.config.backlog)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Listen no more, and let requests end."""
        if self.listener is not None:
            await self.listener.close()
        await super().shutdown(sockets)


def make_protocol(shared: Connections) -> type[HttpToolsProtocol]:
    """Return the class of connections that share these bounds, for one server."""
    return type("Protocol", (BoundedProtocol,), {"shared": shared})


def _tell_gone(cycle: RequestResponseCycle) -> None:
    """Let who answers know that nobody takes the answer."""
    cycle.disconnected = True
    cycle.message_event.set()


def _answer(status: HTTPStatus) -> bytes:
    """Write a whole answer, for who is answered before there is a request."""
    name = status.phrase.lower().replace(" ", "-")
    body = json.dumps({"type": PROBLEM_TYPE + name, "title": status.phrase, "status": status}).encode()
    retry = f"retry-after: {RETRY_SECONDS}\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else ""
    head = f"content-type: {PROBLEM_MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n{retry}connection: close\r\n\r\n"
    return STATUS_LINE[status] + head.encode() + body
