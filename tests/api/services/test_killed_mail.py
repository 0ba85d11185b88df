"""A service killed amid mail that it takes in: what it has accepted is one task each, by LMTP and from the mailbox."""

from __future__ import annotations

import smtplib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from random import Random
from threading import Event, Semaphore, Thread

import pytest
from support import factories
from support.factories import visit
from support.frontdesk import furnish
from support.imapserver import PASSWORD, USER, Mailbox, mailbox
from support.mailserver import free_port
from support.outbox import give_addresses
from support.processes import Served, served
from support.service import SECRET, Clock
from support.stored import NOW

from api.context import create_context
from api.runtime.settings import Settings
from api.services.messages.tasks import list_tasks
from api.store.database import Database

KILLS = 20
LETTERS = 3
"""Letters of each door before each kill."""

CLINIC = "appointments@clinic.example"
PATIENCE_SECONDS = 120.0


class Noted(set[int]):
    """The messages that are marked as seen; each releases who waits for it."""

    def __init__(self, noted: Semaphore) -> None:
        super().__init__()
        self._noted = noted

    def add(self, number: int) -> None:
        super().add(number)
        self._noted.release()


def letter(marker: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = "pat@patients.example", CLINIC, f"<{marker}@patients.example>"
    mail["Subject"] = "Tuesday"
    mail.set_content(f"I cannot come, please call me. {marker}\n")
    return mail.as_bytes()


@dataclass
class MailServer:
    """The clinic's own mail server: it delivers by LMTP what has not been accepted yet, and forgets what has."""

    port: int
    noted: Semaphore
    queue: list[str] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)

    def deliver(self) -> None:
        while self.queue and not self.stopped.is_set():
            with suppress(OSError, smtplib.SMTPException), smtplib.LMTP("127.0.0.1", self.port, timeout=30) as client:
                while self.queue:
                    client.sendmail("pat@patients.example", CLINIC, letter(self.queue[0]))
                    self.queue.pop(0)
                    self.noted.release()


@contextmanager
def delivering(server: MailServer) -> Iterator[None]:
    server.stopped.clear()
    thread = Thread(target=server.deliver)
    thread.start()
    try:
        yield
    finally:
        server.stopped.set()
        thread.join()


@dataclass
class Doors:
    """The two ways of mail into a service, and whatever they have accepted so far."""

    database: Database
    box: Mailbox
    server: MailServer
    noted: Semaphore

    @contextmanager
    def running(self) -> Iterator[Served]:
        url = self.database.url.render_as_string(hide_password=False)
        imap = {"imap_host": "127.0.0.1", "imap_port": self.box.port, "imap_tls": "none", "imap_user": USER}
        lmtp = {"mail_from": CLINIC, "lmtp_port": self.server.port}
        running = served(url, **imap, imap_password=PASSWORD, imap_seconds=1, **lmtp)
        with running as service, delivering(self.server):
            yield service

    def wait(self, accepted: int) -> None:
        assert all(self.noted.acquire(timeout=PATIENCE_SECONDS) for _ in range(accepted))


@pytest.fixture
def doors(sqlite_url: str) -> Iterator[Doors]:
    database, noted = Database(sqlite_url), Semaphore(0)
    furnish(database, factories.scenario(visit("v-1", "pat")), None, Clock())
    give_addresses(database, NOW, "pat")
    with mailbox() as box:
        box.seen = Noted(noted)
        yield Doors(database, box, MailServer(free_port(), noted), noted)
    database.close()


def count_tasks(database: Database, markers: list[str]) -> Counter[str]:
    """Return in how many tasks each marker is."""
    settings = Settings(database_url=database.url.render_as_string(hide_password=False), secret=SECRET)
    context = create_context(settings)
    with context.database.reading() as session:
        words = [task.words or "" for task in list_tasks(session, context.signer, None, 10_000, False)]
    context.close()
    return Counter({marker: sum(f"{marker}\n" in f"{text}\n" for text in words) for marker in markers})


@pytest.mark.heavy
def test_what_was_accepted_before_twenty_kills_is_in_exactly_one_task_each(doors: Doors) -> None:
    random, markers = Random(0), []
    for kill in range(KILLS):
        by_lmtp, by_imap = ([f"{door}-{kill}-{number}" for number in range(LETTERS)] for door in ("lmtp", "imap"))
        markers += by_lmtp + by_imap
        doors.server.queue += by_lmtp
        for marker in by_imap:
            doors.box.put(letter(marker))
        with doors.running() as service:
            doors.wait(random.randint(0, LETTERS))
            service.kill()
    with doors.running():
        doors.server.noted = Semaphore(0)
        left = len(doors.box.messages) - len(doors.box.seen)
        for _ in range(int(PATIENCE_SECONDS)):
            if not doors.server.queue and left <= 0:
                break
            doors.noted.acquire(timeout=1)
            left = len(doors.box.messages) - len(doors.box.seen)
    counts = count_tasks(doors.database, markers)
    assert (doors.server.queue, len(doors.box.seen)) == ([], KILLS * LETTERS)
    assert {marker: count for marker, count in counts.items() if count != 1} == {}
