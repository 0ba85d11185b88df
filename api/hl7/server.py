"""The MLLP server: takes messages from whoever is allowed to send, and answers each.

A connection that brings none, or anything else, is closed. Memory is bounded by the connections times the longest message.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from api.hl7.frames import MAX_MESSAGE_BYTES, FrameReader, MessageTooLong, frame
from api.runtime.tls import TlsListener

READ_BYTES = 64 * 1024

BACKLOG = 100
"""Connections that wait to be accepted."""

log = logging.getLogger(__name__)


class Receiver(Protocol):
    """What becomes of messages; it is called in a thread."""

    def receive(self, content: bytes, address: str) -> bytes:
        """Take in a message from a network address and return the answer."""

    def refuse_too_long(self, head: bytes) -> bytes:
        """Return the answer to a message of which only the first bytes are known."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What one server bears.

    Attributes
    ----------
    connections : int
        Most at once; for one more, the one that was idle longest is closed.
    max_bytes : int
        Longest message.
    idle_seconds : float
        Longest time between two messages of a connection.
    message_seconds : float
        Longest time from a message's first byte to its last, and for its answer to be taken.
    stray_seconds : float
        How long bytes that belong to no message may wait for one.
    end_seconds : float
        How long a message that ends in FS waits for the CR that belongs there.
    """

    connections: int = 20
    max_bytes: int = MAX_MESSAGE_BYTES
    idle_seconds: float = 300.0
    message_seconds: float = 60.0
    stray_seconds: float = 3.0
    end_seconds: float = 0.5


@dataclass(eq=False, slots=True)
class _Connection:
    address: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    active_at: float
    frames: FrameReader
    is_answering: bool = False
    messages: int = 0


@dataclass
class MllpServer:
    """Listens for messages.

    Parameters
    ----------
    receiver : Receiver
        What becomes of messages.
    is_allowed
        Returns whether a network address may connect.
    tls : ssl.SSLContext or None
        By which senders are spoken to; None: in the clear.
    """

    receiver: Receiver
    is_allowed: Callable[[str], bool]
    limits: ServerLimits = field(default_factory=ServerLimits)
    tls: ssl.SSLContext | None = None
    _connections: list[_Connection] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _listener: TlsListener | None = None

    async def listen(self, host: str, port: int) -> int:
        """Begin to listen and return the port: that given, or a free one for 0."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=READ_BYTES, start_serving=False)
        if self.tls is None:
            await self._server.start_serving()
        else:
            self._listener = TlsListener(self.tls, self._make_protocol, self.is_allowed)
            self._listener.listen([listening.dup() for listening in self._server.sockets], BACKLOG)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Listen no more; messages in hand are answered first, for as long as a message may take."""
        if self._listener is not None:
            await self._listener.close()
        if self._server is not None:
            self._server.close()
        until = asyncio.get_running_loop().time() + self.limits.message_seconds
        while any(connection.is_answering for connection in self._connections) and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.02)
        for connection in list(self._connections):
            self._drop(connection)

    def _make_protocol(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(READ_BYTES), self._serve)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        now = asyncio.get_running_loop().time()
        connection = _Connection(address, reader, writer, now, FrameReader(self.limits.max_bytes))
        if not self.is_allowed(address) or not self._make_room():
            log.warning(
                "a connection from %s is closed: %s", address, "not allowed" if not self.is_allowed(address) else "full"
            )
            writer.transport.abort()
            return
        self._connections.append(connection)
        try:
            await self._converse(connection)
        except (OSError, TimeoutError) as error:  # an answer that nobody takes is dropped
            log.info("the connection from %s has ended: %s", address, type(error).__name__)
            writer.transport.abort()
        finally:
            self._drop(connection)

    async def _converse(self, connection: _Connection) -> None:
        """Answer what a connection brings until it ends, is idle for too long, or brings what is no message."""
        while True:
            try:
                messages, is_over = await self._read(connection)
            except MessageTooLong as error:
                await self._answer(connection, self.receiver.refuse_too_long(error.head))
                return
            for message in messages:
                connection.is_answering = True
                try:
                    answer = await asyncio.to_thread(self.receiver.receive, message, connection.address)
                    await self._answer(connection, answer)
                finally:
                    connection.is_answering = False
                connection.messages += 1
                connection.active_at = asyncio.get_running_loop().time()
            if is_over:
                return

    async def _read(self, connection: _Connection) -> tuple[list[bytes], bool]:
        """Return the messages that the next bytes complete, and whether nothing comes after them."""
        frames = connection.frames
        loop = asyncio.get_running_loop()
        was_idle = frames.is_idle
        wait = self._wait(frames) - (loop.time() - connection.active_at)
        if frames.may_have_ended:
            wait = self.limits.end_seconds
        try:
            content = await asyncio.wait_for(connection.reader.read(READ_BYTES), max(wait, 0.001))
        except TimeoutError:
            return ([frames.end()], False) if frames.may_have_ended else ([], True)
        if not content:
            return ([frames.end()] if frames.may_have_ended else []), True
        messages = frames.feed(content)
        if was_idle or messages:
            connection.active_at = loop.time()
        return messages, False

    def _wait(self, frames: FrameReader) -> float:
        """Return the longest time since a connection was last active, s."""
        if frames.is_idle:
            return self.limits.idle_seconds
        return self.limits.stray_seconds if frames.has_skipped else self.limits.message_seconds

    async def _answer(self, connection: _Connection, content: bytes) -> None:
        connection.writer.write(frame(content))
        await asyncio.wait_for(connection.writer.drain(), self.limits.message_seconds)

    def _make_room(self) -> bool:
        """Close the connection that was idle longest when there are as many as may be; return whether there is room."""
        if len(self._connections) < self.limits.connections:
            return True
        idle = [connection for connection in self._connections if not connection.is_answering]
        if not idle:
            return False
        oldest = min(idle, key=lambda connection: (connection.messages > 0, connection.active_at))
        log.warning("the connection from %s is closed to make room for another", oldest.address)
        self._drop(oldest)
        return True

    def _drop(self, connection: _Connection) -> None:
        """Close a connection; what was written to it is still sent."""
        with suppress(ValueError):
            self._connections.remove(connection)
        with suppress(OSError, RuntimeError):
            connection.writer.close()
