"""Sends what waits in the outbox: takes one message after the other, hands it to the mail server, and marks it."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TypeVar

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.background.mail.smtp import DeliveryOutcome, SmtpConnection, Unreachable, connect
from api.background.mail.writing import write_mail
from api.context import AppContext
from api.services.messages import reminders
from api.services.records import write_audit
from api.store.errors import StoreBusy, StoreUnusable
from api.store.queries import messages, tasks
from api.store.queries.messages import Claimed

T = TypeVar("T")

log = logging.getLogger(__name__)

SENDER = Actor("courier", AccessRole.ADMIN)
"""Who sends, as the audit knows it."""

UNDELIVERABLE = "message-undeliverable"
"""The task for staff when somebody cannot be told by mail."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a sender looks, waits and tries; times in seconds.

    Attributes
    ----------
    poll_interval : float
        Between two looks for messages to send.
    initial_backoff, max_backoff : float
        The first and the longest wait for a server that does not answer, or that asks to come later; each is twice the one
        before.
    lease : float
        How long a message stays with a sender of which nothing is heard; longer than all answers to one message may take.
    max_attempts : int
        Attempts after which a message that a server never takes is given up: two days by the longest wait.
    """

    poll_interval: float = 1.0
    initial_backoff: float = 2.0
    max_backoff: float = 600.0
    lease: float = 300.0
    max_attempts: int = 300

    def backoff(self, attempts: int) -> float:
        """Return the wait after some attempts, s, a little different each time so that senders do not come together."""
        return float(min(self.max_backoff, self.initial_backoff * 2 ** min(attempts - 1, 20)) * random.uniform(0.8, 1.2))


@dataclass(slots=True)
class SendCounts:
    """How many messages a round sent, left for later, and gave up."""

    sent: int = 0
    later: int = 0
    refused: int = 0


class OutboxSender:
    """Sends what waits, as long as the server answers.

    Parameters
    ----------
    context : AppContext
        Whose settings name the mail server, and whose store has the outbox.
    """

    def __init__(self, context: AppContext, policy: RetryPolicy | None = None) -> None:
        self.id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._context = context
        self._policy = policy or RetryPolicy()
        self._hold = timedelta(seconds=context.settings.mail_hold_seconds)
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Send until told to stop; the message in hand is finished first."""
        failures = 0
        while not self.stopping.is_set():
            try:
                await self.send_due()
                failures, wait = 0, self._policy.poll_interval
            except Unreachable as error:
                failures += 1
                wait = self._policy.backoff(failures)
                log.warning("the mail server does not answer (%s); next try in %d s", error, wait)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), wait)

    async def send_due(self) -> SendCounts:
        """Send all that is due now. Raises ``Unreachable``; what was not handed over waits then."""
        counts = SendCounts()
        while not self.stopping.is_set() and self._is_due():
            async with connect(self._context.settings) as connection:
                claimed = await self._write(self._claim)
                while claimed is not None:
                    claimed = await self._deliver(connection, claimed, counts)
        return counts

    async def _deliver(self, connection: SmtpConnection, claimed: Claimed, counts: SendCounts) -> Claimed | None:
        """Hand one message over, note what became of it, and take the next one in the same transaction."""
        outcome, words = await self._hand_over(connection, claimed)
        counts.sent += outcome is DeliveryOutcome.TAKEN
        counts.refused += outcome is DeliveryOutcome.NEVER
        counts.later += outcome in (DeliveryOutcome.LATER, DeliveryOutcome.OPEN)
        goes_on = connection.is_open and not self.stopping.is_set()

        def note(session: Session) -> Claimed | None:
            self._record(session, claimed, outcome, words)
            return self._claim(session) if goes_on else None

        following = await self._write(note)
        if not connection.is_open and outcome is not DeliveryOutcome.TAKEN:
            raise Unreachable(words)
        return following

    async def _hand_over(self, connection: SmtpConnection, claimed: Claimed) -> tuple[DeliveryOutcome, str]:
        try:
            content = write_mail(self._context.settings, claimed)
        except Exception:  # whatever it is, one message that cannot be made must not keep all others
            log.exception("message %s cannot be made", claimed.message.id)
            return DeliveryOutcome.NEVER, "it cannot be made"
        try:
            return await connection.hand_over(self._context.settings.mail_from, claimed.tells.address, content)
        except Unreachable as error:
            return DeliveryOutcome.LATER, str(error)

    # --- in the store ------------------------------------------------------------------------------------------------

    def _is_due(self) -> bool:
        try:
            with self._context.database.reading() as session:
                return messages.has_due(session, self._context.clock(), self._hold)
        except (StoreBusy, StoreUnusable) as error:
            log.warning("the outbox cannot be read: %s", error)
            return False

    def _claim(self, session: Session) -> Claimed | None:
        """Take the next message; what would come too late is dropped."""
        now = self._context.clock()
        lease = timedelta(seconds=self._policy.lease)
        while (claimed := messages.claim_next(session, self.id, now, lease, self._hold)) is not None:
            if reminders.is_outdated(session, claimed, now):
                messages.drop_message(session, claimed.message, "it reminds of what is no longer so", now)
            elif claimed.tells.starts_at > now:
                return claimed
            else:
                messages.mark_expired(session, claimed.message.id, now)
        return None

    def _record(self, session: Session, claimed: Claimed, outcome: DeliveryOutcome, words: str) -> None:
        now, message = self._context.clock(), claimed.message
        patient = claimed.invitation.patient_id
        again = now + timedelta(seconds=self._policy.backoff(message.attempts))
        gives_up = message.attempts >= self._policy.max_attempts
        match outcome:
            case DeliveryOutcome.TAKEN:
                messages.mark_sent(session, message.id, now)
                told = {"message": message.id, "method": message.method, "sequence": message.sequence}
                write_audit(session, SENDER, "message.send", "patient", patient, now, **told)
            case DeliveryOutcome.LATER if not gives_up:
                messages.reschedule(session, claimed, again, words, now)
            case DeliveryOutcome.OPEN if not gives_up:
                messages.mark_open(session, message.id, again, words)
            case _:
                messages.mark_refused(session, message.id, words, now)
                detail = {"booking": claimed.booking.subject_id, "method": message.method, "reason": words}
                tasks.add_task(session, UNDELIVERABLE, ("patient", patient), detail, now)

    async def _write(self, action: Callable[[Session], T]) -> T:
        """Write, and try again for as long as the store cannot be written to: what was sent must be marked."""
        began = monotonic()
        while True:
            try:
                with self._context.database.writing() as session:
                    return action(session)
            except (StoreBusy, StoreUnusable) as error:
                log.warning("messages wait for the store since %d s: %s", monotonic() - began, error)
                await asyncio.sleep(self._policy.initial_backoff)
