"""A connection to the mail server, and what became of a message that was handed to it.

References
----------
RFC 6531, section 3.1 (addresses beyond ASCII).
RFC 5321, sections 3.3 (mail transactions), 4.2.1 (4yz: try again; 5yz: never) and 4.5.3.2 (a lost answer leaves it open).
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

import aiosmtplib

from api.runtime.settings import Settings

CONNECT_SECONDS, ANSWER_SECONDS = 20.0, 60.0
"""Longest waits for a connection, and for an answer. A claim lasts longer than all of one message's answers."""


class DeliveryOutcome(StrEnum):
    """What became of a message."""

    TAKEN = "taken"
    LATER = "later"
    NEVER = "never"
    OPEN = "open"


class Unreachable(Exception):
    """The mail server cannot be spoken to now; nothing was handed over."""


class SmtpConnection:
    """A connection over which one message follows another."""

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self._client = client

    async def hand_over(self, sender: str, recipient: str, content: bytes) -> tuple[DeliveryOutcome, str]:
        """Hand a message to the server; return what became of it, and the server's code as words.

        Raises
        ------
        Unreachable
            When the connection broke before the message was on its way.
        """
        is_ascii = recipient.isascii()
        if not is_ascii and not self._client.supports_extension("smtputf8"):
            return DeliveryOutcome.NEVER, "the server takes no address beyond ASCII"
        options, encoding = ([], "ascii") if is_ascii else (["SMTPUTF8"], "utf-8")
        try:
            await self._client.mail(sender, options=options, encoding=encoding)
            await self._client.rcpt(recipient, encoding=encoding)
        except aiosmtplib.SMTPResponseException as error:
            await self._reset()
            return _refusal(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unreachable(type(error).__name__) from None
        try:
            await self._client.data(content)
        except aiosmtplib.SMTPResponseException as error:
            await self._reset()
            return _refusal(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            return DeliveryOutcome.OPEN, f"no answer: {type(error).__name__}"
        return DeliveryOutcome.TAKEN, ""

    @property
    def is_open(self) -> bool:
        """Whether another message may follow."""
        return self._client.is_connected

    async def _reset(self) -> None:
        """Make the connection ready for another message; a server that hangs up then is seen as closed."""
        try:
            await self._client.rset()
        except (aiosmtplib.SMTPException, OSError):
            self._client.close()


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[SmtpConnection]:
    """Connect to the mail server of the settings, by TLS unless they say otherwise. Raises ``Unreachable``."""
    assert settings.smtp_host is not None
    client = aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        use_tls=settings.smtp_tls == "tls",
        start_tls=settings.smtp_tls == "starttls",
        tls_context=ssl.create_default_context(),
        username=settings.smtp_user or None,
        password=settings.smtp_password.get_secret_value() or None,
        timeout=CONNECT_SECONDS,
    )
    try:
        await client.connect()
    except (aiosmtplib.SMTPException, OSError) as error:
        client.close()
        raise Unreachable(type(error).__name__) from None
    client.timeout = ANSWER_SECONDS
    try:
        yield SmtpConnection(client)
    finally:
        try:
            if client.is_connected:
                await client.quit()
        except (aiosmtplib.SMTPException, OSError):
            pass
        client.close()


def _refusal(error: aiosmtplib.SMTPResponseException) -> tuple[DeliveryOutcome, str]:
    """Read a refusal. The server's own words may quote the address, so its code alone is kept."""
    return (DeliveryOutcome.NEVER if error.code >= 500 else DeliveryOutcome.LATER), f"the server answered {error.code}"
