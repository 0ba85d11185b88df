"""A mail server on loopback that takes everything and forgets nothing, and a store with messages to send."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from time import monotonic, sleep
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from support import factories
from support.factories import visit
from support.outbox import address_of, give_addresses

from api.services.messages.notifications import notify_changes
from api.store.columns import utc_now
from api.store.database import Database
from api.store.queries import bookings, periods
from api.store.queries.placings import Placing, Taking

PATIENCE_SECONDS = 60.0


@dataclass
class MailServer:
    """Keeps every message that it has taken; answers as it is told, and hangs up instead of an empty answer."""

    taken: list[tuple[str, bytes]] = field(default_factory=list)
    answer: Callable[[str], str] = lambda recipient: "250 OK"
    data_answer: Callable[[str], str] = lambda recipient: "250 taken"
    pause_seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        answer = self.answer(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.data_answer(envelope.rcpt_tos[0])
        if answer.startswith("250") or not answer:
            assert isinstance(envelope.content, bytes)
            with self.lock:
                self.taken += [(recipient, envelope.content) for recipient in envelope.rcpt_tos]
        await asyncio.sleep(self.pause_seconds)
        if not answer:
            server.transport.abort()
        return answer or "250 taken"

    def messages(self) -> list[EmailMessage]:
        """Return what was taken."""
        with self.lock:
            return [message_from_bytes(content, policy=default) for _, content in self.taken]

    def counts(self) -> Counter[str]:
        """Return how many messages each recipient has got."""
        with self.lock:
            return Counter(recipient for recipient, _ in self.taken)

    def until(self, count: int) -> None:
        """Wait for so many messages."""
        end = monotonic() + PATIENCE_SECONDS
        while len(self.taken) < count:
            assert monotonic() < end, f"{len(self.taken)} of {count} messages came"
            sleep(0.02)


@dataclass
class Listening:
    """A mail server and where it listens; it can be stopped and started again at the same port."""

    server: MailServer
    port: int = 0
    controller: Any = None

    def start(self) -> None:
        self.controller = Controller(self.server, hostname="127.0.0.1", port=self.port, ready_timeout=10)
        self.controller.start()
        self.port = self.controller.server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self.controller is not None:
            self.controller.stop()
            self.controller = None


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def fill_outbox(database: Database, count: int) -> list[str]:
    """Book a visit for each of some patients, the day after tomorrow or later; return their addresses."""
    names = [f"p-{index:03}" for index in range(count)]
    now = utc_now()
    asked = [visit(f"v-{name}", name) for name in names]
    scenario = factories.scenario(*asked, patients=[factories.patient(name) for name in names])
    with database.writing() as session:
        periods.keep_scenario(session, scenario, now)
    give_addresses(database, now, *names)
    with database.writing() as session:
        for index, name in enumerate(names):
            start = (now + timedelta(days=2, hours=index)).replace(minute=0, second=0, microsecond=0)
            end = start + timedelta(minutes=40)
            placing = Placing(
                ("visit", f"v-{name}", ""), "followup", "wang", start, end, frozenset([Taking("patient", 0, name, end)])
            )
            notify_changes(session, [bookings.place(session, scenario.id, placing, now)], now)
    return [address_of(name) for name in names]
