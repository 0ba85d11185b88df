"""Every frame is answered or its connection closed, and nobody keeps others from being served."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from threading import Event

import pytest
from support.certificates import make_certificate
from support.hl7 import siu
from support.mllp import LOOPBACK, QUICK, AcceptingReceiver, listening, say

from api.hl7.acks import read_ack
from api.hl7.client import MllpConnection, Unanswered
from api.hl7.frames import FrameReader, frame
from api.hl7.server import ServerLimits

MESSAGE = siu(control_id="C-1").encode()


def acknowledged(stream: bytes) -> list[tuple[str, str]]:
    return [(ack.code, ack.control_id) for ack in map(read_ack, FrameReader().feed(stream))]


@pytest.mark.parametrize(
    ("pieces", "answers"),
    [
        pytest.param([frame(MESSAGE) + frame(siu(control_id="C-2").encode())], ["C-1", "C-2"], id="two in one packet"),
        pytest.param([bytes([byte]) for byte in frame(MESSAGE)], ["C-1"], id="one byte a write"),
        pytest.param([MESSAGE + b"\x1c\r"], [], id="no start block"),
        pytest.param([b"garbage" + frame(MESSAGE)], ["C-1"], id="garbage before it"),
        pytest.param([b"\x0b" + MESSAGE + b"\x1c"], ["C-1"], id="FS without CR"),
        pytest.param([frame(MESSAGE.replace(b"\r", b"\n"))], ["C-1"], id="LF line ends"),
        pytest.param([frame(MESSAGE.replace(b"\r", b"\r\n"))], ["C-1"], id="CR LF line ends"),
        pytest.param([frame(MESSAGE + b"NTE|1||" + b"x" * 102_400)], ["C-1"], id="100 KiB"),
        pytest.param([frame(MESSAGE.replace(b"Jane", b"Zo\xeb"))], ["C-1"], id="Latin-1 bytes"),
        pytest.param([frame(MESSAGE.replace(b"Jane", b"J\x1cane"))], ["C-1"], id="FS in data"),
        pytest.param([b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"], [], id="HTTP"),
        pytest.param([frame(b"")], [""], id="empty"),
        pytest.param([frame(b"MSH")], [""], id="MSH only"),
    ],
)
def test_a_frame_is_answered_or_its_connection_closed(pieces: list[bytes], answers: list[str]) -> None:
    async def scenario() -> bytes:
        async with listening(AcceptingReceiver()) as port:
            return await say(port, *pieces, answers=len(answers) or 1)

    assert acknowledged(asyncio.run(scenario())) == [("AA", control_id) for control_id in answers]


def test_a_message_that_is_too_long_is_rejected_by_its_id_and_the_connection_closed() -> None:
    async def scenario() -> bytes:
        limits = ServerLimits(max_bytes=10_000)
        async with listening(AcceptingReceiver(), limits) as port:
            return await say(port, b"\x0b" + MESSAGE + b"x" * 10_000)

    assert acknowledged(asyncio.run(scenario())) == [("AR", "C-1")]


def test_what_comes_from_elsewhere_is_not_heard() -> None:
    async def scenario() -> bytes:
        async with listening(AcceptingReceiver(), is_allowed=lambda address: False) as port:
            return await say(port, frame(MESSAGE))

    assert asyncio.run(scenario()) == b""


@pytest.mark.parametrize("is_allowed", [True, False])
def test_by_tls_messages_are_heard_from_whom_they_may_come_and_nobody_else_is_answered_a_hello(
    tmp_path: Path, is_allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.runtime.tls.MAX_HANDSHAKES", 5)
    file = make_certificate(tmp_path, "clinic")
    tls, trusted = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context(cafile=str(file))
    tls.load_cert_chain(file)

    async def scenario() -> list[tuple[str, str]]:
        async with listening(AcceptingReceiver(), tls=tls, is_allowed=lambda address: is_allowed) as port:
            silent = [await asyncio.open_connection(LOOPBACK, port) for _ in range(20)]
            try:
                async with asyncio.timeout(10):  # who gives way, or is not allowed, is let go without a word
                    assert [await reader.read() for reader, _ in silent[: 14 if is_allowed else 20]] == [b""] * (
                        14 if is_allowed else 20
                    )
                reader, writer = await asyncio.open_connection(LOOPBACK, port, ssl=trusted, server_hostname="clinic")
                writer.write(frame(MESSAGE))
                answer = await reader.readuntil(b"\x1c\r")
                writer.close()
                return acknowledged(answer)
            finally:
                for _, writer in silent:
                    writer.close()

    if is_allowed:
        assert asyncio.run(scenario()) == [("AA", "C-1")]
    else:
        with pytest.raises(ConnectionError):
            asyncio.run(scenario())


def test_idle_connections_keep_nobody_from_being_served() -> None:
    async def scenario() -> tuple[bytes, int]:
        receiver = AcceptingReceiver()
        async with listening(receiver, ServerLimits(connections=3)) as port:
            working = await MllpConnection.open(LOOPBACK, port)
            await working.exchange(MESSAGE, "C-1")
            idle = [await asyncio.open_connection(LOOPBACK, port) for _ in range(30)]
            answer = await say(port, frame(MESSAGE))
            await working.exchange(MESSAGE, "C-1")
            await working.close()
            for _, writer in idle:
                writer.close()
            return answer, len(receiver.received)

    answer, count = asyncio.run(scenario())
    assert acknowledged(answer) == [("AA", "C-1")]
    assert count == 3, "who has sent a message is not closed for those who have not"


def test_an_idle_connection_and_half_a_message_are_closed_in_time() -> None:
    async def scenario() -> list[bytes]:
        limits = ServerLimits(idle_seconds=0.05, message_seconds=0.05)
        async with listening(AcceptingReceiver(), limits) as port:
            return [await say(port), await say(port, b"\x0bMSH|half")]

    assert asyncio.run(scenario()) == [b"", b""]


def test_a_trickle_gains_no_time() -> None:
    async def scenario() -> None:
        limits = ServerLimits(idle_seconds=60, message_seconds=0.1)
        async with listening(AcceptingReceiver(), limits) as port:
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            writer.write(b"\x0bMSH|")
            ended = asyncio.create_task(reader.read())
            async with asyncio.timeout(5):
                while not ended.done():
                    writer.write(b"x")
                    await asyncio.wait([ended], timeout=0.01)
            assert isinstance(ended.exception(), ConnectionError) or ended.result() == b""
            writer.close()

    asyncio.run(scenario())


def test_a_message_in_hand_is_answered_before_the_server_ends() -> None:
    begun, may_go_on = Event(), Event()

    def wait(content: bytes) -> None:
        begun.set()
        may_go_on.wait(5)

    async def scenario() -> bytes:
        async with listening(AcceptingReceiver(before=wait)) as port:
            asking = asyncio.create_task(say(port, frame(MESSAGE)))
            await asyncio.to_thread(begun.wait, 5)
            asyncio.get_running_loop().call_later(0.05, may_go_on.set)
        return await asking

    assert acknowledged(asyncio.run(scenario())) == [("AA", "C-1")]


def test_a_client_gets_the_answer_to_its_own_message() -> None:
    async def scenario() -> str:
        async with listening(AcceptingReceiver()) as port:
            connection = await MllpConnection.open(LOOPBACK, port)
            answer = await connection.exchange(MESSAGE, "C-1")
            await connection.close()
            return answer.code

    assert asyncio.run(scenario()) == "AA"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "no answer within"),
        (b"", "the connection ended"),
        (frame(b"HTTP/1.1 200 OK"), "no acknowledgement"),
        (frame(b"MSH|^~\\&|||||||ACK\rMSA|AA|another"), "no answer within"),
        (b"\x0b" + b"x" * 70_000, "longer than"),
    ],
)
def test_a_client_says_why_it_has_no_answer(answer: bytes | None, why: str) -> None:
    async def partner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        if answer is not None:
            writer.write(answer)
            if not answer:
                writer.close()
        await reader.read()
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(partner, LOOPBACK, 0)
        connection = await MllpConnection.open(LOOPBACK, server.sockets[0].getsockname()[1], answer_seconds=0.2)
        try:
            await connection.exchange(MESSAGE, "C-1")
        finally:
            await connection.close()
            server.close()
            await server.wait_closed()

    with pytest.raises(Unanswered, match=why):
        asyncio.run(scenario())


def test_a_client_takes_an_answer_that_ends_in_fs_alone_after_one_to_another_message() -> None:
    async def partner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(frame(b"MSH|^~\\&|||||||ACK\rMSA|AE|another") + b"\x0bMSH|^~\\&\rMSA|CA|C-1\x1c")
        await reader.read()
        writer.close()

    async def scenario() -> str:
        server = await asyncio.start_server(partner, LOOPBACK, 0)
        connection = await MllpConnection.open(LOOPBACK, server.sockets[0].getsockname()[1])
        answer = await connection.exchange(MESSAGE, "C-1")
        await connection.close()
        server.close()
        await server.wait_closed()
        return answer.code

    assert asyncio.run(scenario()) == "CA"


def test_a_client_says_that_nobody_listens() -> None:
    async def scenario() -> None:
        async with listening(AcceptingReceiver()) as port:
            pass
        await MllpConnection.open(LOOPBACK, port)

    with pytest.raises(Unanswered, match="refused"):
        asyncio.run(scenario())


def test_quick_limits_differ_from_the_usual_ones_in_time_alone() -> None:
    assert (QUICK.connections, QUICK.max_bytes) == (ServerLimits().connections, ServerLimits().max_bytes) == (20, 1024**2)
