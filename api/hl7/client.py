"""A connection to a partner's MLLP server: one message, then its answer."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from contextlib import suppress

from api.hl7.acks import Acknowledgement, read_ack
from api.hl7.codec import InvalidMessage
from api.hl7.frames import FrameReader, MessageTooLong, frame

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
END_SECONDS = 0.5
MAX_ANSWER_BYTES = 64 * 1024


class Unanswered(Exception):
    """The partner cannot be reached, or does not answer as it should; says why. It may have taken the message."""


class MllpConnection:
    """An open connection; close it after :class:`Unanswered`: a late answer could be taken for that to another message.

    Attributes
    ----------
    has_strays : bool
        Whether answers came to other messages than the one that was sent. Some servers take all that a connection has brought
        once more with each message: the next one needs a connection of its own.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer_seconds: float) -> None:
        self.has_strays = False
        self._reader, self._writer = reader, writer
        self._answer_seconds = answer_seconds
        self._frames = FrameReader(MAX_ANSWER_BYTES)

    @classmethod
    async def open(
        cls, host: str, port: int, tls: ssl.SSLContext | None = None, answer_seconds: float = ANSWER_SECONDS
    ) -> MllpConnection:
        """Connect. Raises ``Unanswered``."""
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port, ssl=tls), CONNECT_SECONDS)
        except TimeoutError:
            raise Unanswered(f"nobody answers within {CONNECT_SECONDS:g} s") from None
        except ssl.SSLError as error:
            raise Unanswered(f"TLS: {error.reason or type(error).__name__}") from None
        except OSError as error:
            raise Unanswered(_words(error)) from None
        return cls(reader, writer, answer_seconds)

    async def exchange(self, content: bytes, control_id: str) -> Acknowledgement:
        """Send a message and return the answer that repeats its MSH-10; answers to other messages are passed over.

        Raises
        ------
        Unanswered
            When there is none in time.
        """
        try:
            return await asyncio.wait_for(self._exchange(content, control_id), self._answer_seconds)
        except TimeoutError:
            raise Unanswered(f"no answer within {self._answer_seconds:g} s") from None
        except OSError as error:
            raise Unanswered(_words(error)) from None
        except MessageTooLong:
            raise Unanswered(f"the answer is longer than {MAX_ANSWER_BYTES:,} bytes") from None
        except InvalidMessage as error:
            raise Unanswered(f"what comes is no acknowledgement ({error})") from None

    async def close(self) -> None:
        """End the connection."""
        self._writer.close()
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._writer.wait_closed(), 1.0)

    async def _exchange(self, content: bytes, control_id: str) -> Acknowledgement:
        self._writer.write(frame(content))
        await self._writer.drain()
        while True:
            for answer in await self._answers():
                acknowledgement = read_ack(answer)
                if acknowledgement.control_id.strip() == control_id:
                    return acknowledgement
                self.has_strays = True

    async def _answers(self) -> list[bytes]:
        """Return the answers that the next bytes complete; one that ends in FS alone is whole when nothing follows."""
        try:
            wait = END_SECONDS if self._frames.may_have_ended else None
            received = await asyncio.wait_for(self._reader.read(MAX_ANSWER_BYTES), wait)
        except TimeoutError:
            return [self._frames.end()]
        if received:
            return self._frames.feed(received)
        if self._frames.may_have_ended:
            return [self._frames.end()]
        raise Unanswered("the connection ended before the answer")


def _words(error: OSError) -> str:
    """Return what the operating system says of an error; asyncio puts words of its own in their place."""
    if isinstance(error, socket.gaierror) or error.errno is None:
        return error.strerror or type(error).__name__
    return os.strerror(error.errno)
