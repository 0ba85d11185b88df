"""Answers from an IMAP mailbox: every message that is not marked as seen is taken in, and marked once it is.

A message that is taken in twice, as when the mark is lost, does nothing twice.

References
----------
RFC 9051, sections 2.3.2 (flags), 6.4.4 (SEARCH), 6.4.5 (FETCH; BODY.PEEK sets no flag) and 6.4.6 (STORE).
"""

from __future__ import annotations

import imaplib
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from api.background.mail import MAX_MAIL_BYTES
from api.runtime.settings import Settings
from api.store.errors import StoreBusy, StoreUnusable

ANSWER_SECONDS = 30.0
MOST_AT_ONCE = 200
"""Messages that one look takes in; more wait for the next look."""

log = logging.getLogger(__name__)


def fetch_replies(settings: Settings, take_in: Callable[[bytes], object]) -> int:
    """Take in what is new in the mailbox of the settings; return how many messages that was.

    What is longer than any answer is marked as seen and left where it is.

    Raises
    ------
    OSError, imaplib.IMAP4.error, StoreBusy, StoreUnusable
        When the server or the store cannot be spoken to; what was not taken in is new the next time.
    """
    with _mailbox(settings) as box:
        numbers = _answer(box.uid("SEARCH", "UNSEEN"))[0]
        new = numbers.split()[:MOST_AT_ONCE] if isinstance(numbers, bytes) else []
        for number in new:
            content = _content(box, number.decode("ascii"))
            try:
                if content is not None:
                    take_in(content)
            except (StoreBusy, StoreUnusable):
                raise
            except Exception:  # whatever it is, one message that cannot be taken in must not keep all others
                log.exception("a message in the mailbox cannot be taken in")
                continue
            _answer(box.uid("STORE", number.decode("ascii"), "+FLAGS", r"(\Seen)"))
        return len(new)


@contextmanager
def _mailbox(settings: Settings) -> Iterator[imaplib.IMAP4]:
    assert settings.imap_host is not None
    if settings.imap_tls == "tls":
        context = ssl.create_default_context()
        box: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            settings.imap_host, settings.imap_port, ssl_context=context, timeout=ANSWER_SECONDS
        )
    else:
        box = imaplib.IMAP4(settings.imap_host, settings.imap_port, timeout=ANSWER_SECONDS)
    try:
        box.login(settings.imap_user, settings.imap_password.get_secret_value())
        _answer(box.select(f'"{settings.imap_folder}"'))
        yield box
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            box.logout()


def _content(box: imaplib.IMAP4, number: str) -> bytes | None:
    """Return a message, None when it is too long or gone meanwhile."""
    size = _answer(box.uid("FETCH", number, "(RFC822.SIZE)"))[0]
    size = size.rpartition(b"RFC822.SIZE ")[2].split(b")")[0].split()[0] if isinstance(size, bytes) else b""
    if not size.isdigit() or int(size) > MAX_MAIL_BYTES:
        log.warning("a message in the mailbox is too long and is left there")
        return None
    parts = _answer(box.uid("FETCH", number, "(BODY.PEEK[])"))
    return next((bytes(part[1]) for part in parts if isinstance(part, tuple)), None)


def _answer(given: tuple[str, list[Any]]) -> list[Any]:
    status, data = given
    if status != "OK":
        raise imaplib.IMAP4.error("the server has refused a command")
    return data
