"""How messages reach a partner: a channel takes one and returns its answer, whatever the two of them speak."""

from __future__ import annotations

import ssl
from typing import Protocol

from api.hl7.acks import Acknowledgement
from api.hl7.client import MllpConnection, Unanswered
from api.hl7.outbox import Outgoing
from api.hl7.partners import Send


class PartnerChannel(Protocol):
    """A way to one partner."""

    async def exchange(self, outgoing: Outgoing) -> Acknowledgement:
        """Send a message and return its answer.

        Raises
        ------
        Unanswered
            When there is none; the partner may have taken the message.
        """

    async def close(self) -> None:
        """End what is open."""


class MllpChannel:
    """Sends HL7 messages over one connection, which lasts as long as both sides keep it."""

    def __init__(self, send: Send, tls: ssl.SSLContext | None = None) -> None:
        self._send, self._tls = send, tls
        self._connection: MllpConnection | None = None

    async def exchange(self, outgoing: Outgoing) -> Acknowledgement:
        """Send a message; on a connection that the partner has closed meanwhile it is sent once more on a new one."""
        was_open = self._connection is not None
        try:
            return await self._exchange_once(outgoing)
        except Unanswered:
            await self.close()
            if not was_open:
                raise
        return await self.exchange(outgoing)

    async def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _exchange_once(self, outgoing: Outgoing) -> Acknowledgement:
        if self._connection is None:
            send = self._send
            self._connection = await MllpConnection.open(send.host, send.port, self._tls, send.answer_seconds)
        answer = await self._connection.exchange(outgoing.content, outgoing.id)
        if self._connection.has_strays:
            await self.close()
        return answer
