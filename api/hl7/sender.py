"""Sends what a partner is to know: one message, its answer, then the next."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from sqlmodel import Session

from api.background.mail.outbox_sender import RetryPolicy
from api.context import AppContext
from api.hl7.acks import Acknowledgement
from api.hl7.channels import PartnerChannel
from api.hl7.client import Unanswered
from api.hl7.outbox import Outgoing, has_outgoing, next_outgoing, note_answer
from api.hl7.partners import Partner
from api.store.errors import StoreBusy, StoreUnusable
from api.store.queries import tasks

UNREACHABLE = "hl7-partner-unreachable"
"""The task for staff when a partner has not answered for long."""

FAILURES_BEFORE_TASK = 8
"""Attempts in a row without an answer before staff are told: some five minutes."""

RETRY_POLICY = RetryPolicy(max_backoff=120.0)

log = logging.getLogger(__name__)


class PartnerSender:
    """Sends to one partner.

    Parameters
    ----------
    channel : PartnerChannel
        By which messages reach it; it is closed when the sender ends.
    policy : RetryPolicy
        How often the store is looked at, and how long an unanswered message waits.
    """

    def __init__(
        self,
        context: AppContext,
        name: str,
        partner: Partner,
        channel: PartnerChannel,
        policy: RetryPolicy = RETRY_POLICY,
    ) -> None:
        self._context, self._name, self._partner = context, name, partner
        self._channel, self._policy = channel, policy
        self._failures = 0
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Send until told to stop; the answer to the message in hand is waited for."""
        while not self.stopping.is_set():
            wait = self._policy.poll_interval
            try:
                await self.send_due()
            except Unanswered as error:
                self._failures += 1
                wait = self._policy.backoff(self._failures)
                log.warning("partner %s: %s; next try in %d s", self._name, error, wait)
                await asyncio.to_thread(self._note_failure)
            except (StoreBusy, StoreUnusable) as error:
                log.warning("messages to %s wait for the store: %s", self._name, error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), wait)
        await self.close()

    async def send_due(self) -> int:
        """Send all that the partner is to know now, and return how many messages it took. Raises ``Unanswered``."""
        taken = 0
        if not await asyncio.to_thread(self._has_next):
            return taken
        outgoing = await asyncio.to_thread(self._next)
        while outgoing is not None and not self.stopping.is_set():
            answer = await self._channel.exchange(outgoing)
            self._failures = 0
            taken += answer.is_accepted
            outgoing = await asyncio.to_thread(self._note_and_next, outgoing, answer)
        return taken

    async def close(self) -> None:
        """End the connection."""
        await self._channel.close()

    # --- in the store ------------------------------------------------------------------------------------------------

    def _has_next(self) -> bool:
        with self._context.database.reading() as session:
            return has_outgoing(session, self._name, self._context.clock())

    def _next(self) -> Outgoing | None:
        with self._context.database.writing() as session:
            return next_outgoing(session, self._name, self._partner, self._context.clock())

    def _note_and_next(self, outgoing: Outgoing, answer: Acknowledgement) -> Outgoing | None:
        """Note an answer, and take the next message in the same transaction unless told to stop."""

        def note(session: Session) -> Outgoing | None:
            now = self._context.clock()
            note_answer(session, self._name, outgoing.id, answer, now, self._policy.backoff)
            return None if self.stopping.is_set() else next_outgoing(session, self._name, self._partner, now)

        return self._context.database.write(note)

    def _note_failure(self) -> None:
        """Tell staff once when a partner has been silent for long."""
        if self._failures != FAILURES_BEFORE_TASK:
            return
        with suppress(StoreBusy, StoreUnusable), self._context.database.writing() as session:
            tasks.add_task(session, UNREACHABLE, ("partner", self._name), {"partner": self._name}, self._context.clock())
