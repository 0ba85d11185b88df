"""MLLP on loopback: a server whose receiver is told what to answer, and sockets that say anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from api.hl7.acks import AckVerdict, Condition, Refusal, make_ack
from api.hl7.server import MllpServer, Receiver, ServerLimits

NOW = datetime(2026, 11, 30, 15, 30, tzinfo=UTC)
LOOPBACK = "127.0.0.1"

QUICK = ServerLimits(idle_seconds=5.0, message_seconds=5.0, stray_seconds=0.05, end_seconds=0.05)
"""Limits by which a test does not wait."""


@dataclass
class AcceptingReceiver:
    """Accepts every message and keeps it."""

    received: list[bytes] = field(default_factory=list)
    before: Callable[[bytes], object] = lambda content: None

    def receive(self, content: bytes, address: str) -> bytes:
        """Keep a message and accept it."""
        self.before(content)
        self.received.append(content)
        return make_ack(content, f"A{len(self.received)}", NOW)

    def refuse_too_long(self, head: bytes) -> bytes:
        """Reject a message by its beginning."""
        return make_ack(head, "A0", NOW, Refusal(AckVerdict.REJECTED, Condition.DATA_TYPE, "is too long"))


@asynccontextmanager
async def listening(receiver: Receiver, limits: ServerLimits = QUICK, port: int = 0, **options: object) -> AsyncIterator[int]:
    """Serve on a port of loopback, a free one unless told, and yield it."""
    server = MllpServer(receiver, **{"is_allowed": lambda address: True, "limits": limits, **options})  # type: ignore[arg-type]
    bound = await server.listen(LOOPBACK, port)
    try:
        yield bound
    finally:
        await server.close()


async def say(port: int, *pieces: bytes, answers: int = 1) -> bytes:
    """Write pieces one after another, and return what comes until there are so many answers or the other side closes."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    answer = b""
    with suppress(ConnectionError):
        async with asyncio.timeout(10):
            while answer.count(b"\x1c\r") < answers and (received := await reader.read(65536)):
                answer += received
    writer.close()
    return answer
