"""Answers by LMTP: what the clinic's own mail server delivers is taken in before it is told so.

References
----------
RFC 2033 (LMTP); RFC 5321, section 4.2.1: after a 4yz answer the server delivers again, after a 5yz one it gives up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from api.background.mail import MAX_MAIL_BYTES
from api.runtime.settings import Settings
from api.store.errors import StoreBusy, StoreUnusable

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 20
"""Connections at once; a mail server needs a few. Memory is bounded by these times the longest message."""


class LmtpListener(Controller):
    """Listens by LMTP for mail to one address.

    Parameters
    ----------
    settings : Settings
        Where to listen, and to which address.
    take_in
        Takes one message in, in a thread.
    """

    def __init__(self, settings: Settings, take_in: Callable[[bytes], object]) -> None:
        super().__init__(_Handler(settings.mail_from, take_in), hostname=settings.lmtp_host, port=settings.lmtp_port or 0)
        self._open: dict[_Connection, None] = {}

    def factory(self) -> SMTP:
        """Return what speaks with one client."""
        return _Connection(self._open, self.handler)


class _Connection(LMTP):
    """What speaks with one client; when there are too many, the one that came first gives way, whatever it brings how slowly.

    A mail server that loses its connection so delivers again.
    """

    def __init__(self, others: dict[_Connection, None], handler: object) -> None:
        super().__init__(handler, data_size_limit=MAX_MAIL_BYTES, ident="Clinicweave", decode_data=False)
        self._others = others

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, and the place of another when there are too many."""
        super().connection_made(transport)
        self._others[self] = None
        if len(self._others) > MAX_CONNECTIONS:
            first = next(iter(self._others))
            del self._others[first]
            first.give_way()

    def connection_lost(self, error: Exception | None) -> None:
        """Forget a connection."""
        self._others.pop(self, None)
        super().connection_lost(error)

    def give_way(self) -> None:
        """End the connection at once."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()


class _Handler:
    def __init__(self, address: str, take_in: Callable[[bytes], object]) -> None:
        self._address = address.lower()
        self._take_in = take_in

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if _plain(address) != self._address:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        try:
            await asyncio.to_thread(self._take_in, content)
        except (StoreBusy, StoreUnusable) as error:
            log.warning("an answer has to wait for the store: %s", error)
            return "451 4.3.0 try again later"
        except Exception:  # whatever it is, the mail server must keep the message for somebody to look at
            log.exception("an answer cannot be taken in")
            return "451 4.3.0 try again later"
        return "250 2.0.0 taken in"


def _plain(address: str) -> str:
    """Return an address without the detail after a plus sign."""
    local, at, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"
