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

    def factory(self) -> SMTP:
        """Return what speaks with one client."""
        return LMTP(self.handler, data_size_limit=MAX_MAIL_BYTES, ident="Clinicweave", decode_data=False)


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
