"""The running process under senders that mean no good: everybody is answered or closed, and others are served meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic

import pytest
from support.hl7 import siu
from support.hl7_process import Exchange, exchanging
from support.mllp import LOOPBACK, say

from api.hl7.acks import read_ack
from api.hl7.frames import FrameReader, frame

MESSAGE = siu("S15", control_id="C-1").encode()

FRAMES = {
    "two in one packet": (frame(MESSAGE) + frame(siu("S15", control_id="C-2").encode()), ["C-1", "C-2"]),
    "no start block": (MESSAGE + b"\x1c\r", []),
    "garbage before it": (b"garbage" + frame(MESSAGE), ["C-1"]),
    "FS without CR": (b"\x0b" + MESSAGE + b"\x1c", ["C-1"]),
    "LF line ends": (frame(MESSAGE.replace(b"\r", b"\n")), ["C-1"]),
    "CR LF line ends": (frame(MESSAGE.replace(b"\r", b"\r\n")), ["C-1"]),
    "100 KiB": (frame(MESSAGE + b"NTE|1||" + b"x" * 102_400), ["C-1"]),
    "Latin-1 bytes": (frame(MESSAGE.replace(b"Jane", b"Zo\xeb")), ["C-1"]),
    "FS in data": (frame(MESSAGE.replace(b"Jane", b"J\x1cane")), ["C-1"]),
    "HTTP": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", []),
    "empty": (frame(b""), [""]),
    "MSH only": (frame(b"MSH"), [""]),
}


async def served(exchange: Exchange) -> float:
    """Return how long it takes to be served, s."""
    begun = monotonic()
    answer = await say(exchange.port, frame(MESSAGE))
    assert read_ack(FrameReader().feed(answer)[0]).control_id == "C-1"
    return monotonic() - begun


async def besieged(exchange: Exchange) -> None:
    """Let frames, single bytes, too much, and idle sockets come, and be served in between."""
    for name, (stream, ids) in FRAMES.items():
        answer = await say(exchange.port, stream, answers=len(ids) or 1)
        assert [read_ack(message).control_id for message in FrameReader().feed(answer)] == ids, name
    bytewise = await say(exchange.port, *(bytes([byte]) for byte in frame(MESSAGE)))
    assert [read_ack(message).control_id for message in FrameReader().feed(bytewise)] == ["C-1"], "one byte a write"
    idle = [await asyncio.open_connection(LOOPBACK, exchange.port) for _ in range(200)]
    assert await served(exchange) < 1.0
    for _ in range(10):
        answer = await say(exchange.port, b"\x0b" + MESSAGE + b"x" * 2 * 1024**2)
        assert b"MSA|AR|C-1" in answer or answer == b""
        assert await served(exchange) < 1.0
    for _, writer in idle:
        writer.close()


@pytest.mark.heavy
def test_hostile_senders_are_answered_or_closed_in_bounded_memory(sqlite_url: str, tmp_path: Path) -> None:
    with exchanging(sqlite_url, tmp_path) as exchange:

        async def work() -> None:
            await served(exchange)
            before = exchange.memory_mib()
            await besieged(exchange)
            assert exchange.memory_mib() - before <= 50

        asyncio.run(work())
    assert not [line for line in exchange.log if "Traceback" in line]
