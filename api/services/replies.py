"""What patients answer: noted on the appointment, or a task for staff. Nothing that comes in by mail moves or cancels anything.

Who declines keeps the place until staff have seen it: the task tells what would be free, and which waiting visits could use
it best.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.context import AppContext
from api.services.bookings import get_visit_booking
from api.services.records import write_audit
from api.services.week import get_current_week, with_booking
from api.store import bookings, messages, periods, tasks
from api.store.tables import BookingRow, InvitationRow
from api.store.tables.mail import Participation
from calendars.mailbox import Mailbox
from calendars.replies import Accepted, Declined, ForStaff, Ignored, KnownInvite, ReceivedReplies, Reply, Tentative, judge_reply
from scheduling.errors import ClinicweaveError
from scheduling.plan import VisitBooking

MAILBOX = Actor("mailbox", AccessRole.PATIENT)
"""Who answers by mail."""

DECLINED = "answer-declined"
UNCLEAR = "answer-unclear"
"""The tasks for staff: somebody will not come; and something came in that only people can make sense of."""

CANDIDATES = 5
"""Waiting visits that a task names."""

PARTICIPATION: dict[type[Accepted | Declined | Tentative], Participation] = {
    Accepted: "accepted",
    Declined: "declined",
    Tentative: "tentative",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReplyOutcome:
    """What became of one answer: what it was about, by ids, and what was made of it."""

    kind: str
    subject: str
    outcome: str


def process_replies(context: AppContext, received: ReceivedReplies, by: Actor = MAILBOX) -> list[ReplyOutcome]:
    """Take in what was received; twice is as once.

    Raises
    ------
    StoreBusy, StoreUnusable
        When the store cannot be written to; nothing is taken in then.
    """
    now = context.clock()
    declined: list[BookingRow] = []
    with context.database.writing() as session:
        desk = _ReplyDesk(session, received, by, now, declined)
        outcomes = desk.trouble() if received.trouble is not None else [desk.take(answer) for answer in received.answers]
    for row in declined:
        _open_backfill(context, row, now)
    return outcomes


@dataclass
class _ReplyDesk:
    session: Session
    received: ReceivedReplies
    by: Actor
    now: datetime
    declined: list[BookingRow]

    def trouble(self) -> list[ReplyOutcome]:
        """Note what has no answer in it."""
        trouble = self.received.trouble
        if isinstance(trouble, ForStaff):
            self._ask_staff(("mailbox", ""), trouble, None)
        return [ReplyOutcome("mailbox", "", trouble.reason if trouble is not None else "")]

    def take(self, answer: Reply) -> ReplyOutcome:
        """Note one answer."""
        invitation = messages.find_invitation_by_uid(self.session, answer.uid)
        booking = None if invitation is None else bookings.get_booking(self.session, invitation.booking_id)
        subject = ("mailbox", "") if booking is None else (booking.kind, booking.subject_id)
        verdict = judge_reply(answer, self._invited(invitation, booking), self.received.sender, self.now)
        match verdict:
            case ForStaff():
                self._ask_staff(subject, verdict, invitation)
                return ReplyOutcome(*subject, verdict.reason)
            case Ignored():
                return ReplyOutcome(*subject, verdict.reason)
        assert invitation is not None and booking is not None
        return ReplyOutcome(*subject, self._note(invitation, booking, PARTICIPATION[type(verdict)], verdict.stamp))

    def _note(
        self, invitation: InvitationRow, booking: BookingRow, participation: Participation, stamp: datetime | None
    ) -> Participation:
        if participation == "declined" and invitation.participation != "declined":
            self.declined.append(booking)
            detail = {"patient": invitation.patient_id, "scenario": booking.period_id}
            tasks.add_task(self.session, DECLINED, (booking.kind, booking.subject_id), detail, self.now)
        invitation.participation, invitation.replied_at = participation, stamp or self.now
        booking.version += 1
        self.session.add_all((invitation, booking))
        periods.touch(self.session, booking.period_id)
        detail = {"patient": invitation.patient_id}
        write_audit(self.session, self.by, f"answer.{participation}", booking.kind, booking.subject_id, self.now, **detail)
        return participation

    def _invited(self, invitation: InvitationRow | None, booking: BookingRow | None) -> KnownInvite | None:
        if invitation is None or booking is None:
            return None
        address = messages.get_last_address(self.session, invitation.id)
        if address is None:
            return None
        is_over = invitation.ended_at is not None or booking.state == "cancelled" or booking.ends_at <= self.now
        return KnownInvite(Mailbox(address), invitation.sequence, invitation.replied_at, is_over)

    def _ask_staff(self, subject: tuple[str, str], verdict: ForStaff, invitation: InvitationRow | None) -> None:
        """Ask somebody to look at it; whoever does finds the mail by its Message-ID, since the task quotes nothing of it."""
        detail: dict[str, Any] = {"reason": verdict.reason, "message": self.received.message_id}
        if invitation is not None:
            detail["patient"] = invitation.patient_id
        tasks.add_task(self.session, UNCLEAR, subject, detail, self.now)
        write_audit(self.session, self.by, "answer.unclear", *subject, self.now, reason=verdict.reason)


def _open_backfill(context: AppContext, row: BookingRow, now: datetime) -> None:
    """Tell in the task of a declined visit what would be free, and which waiting visits would use it best."""
    if row.kind != "visit":
        return
    try:
        with context.database.reading() as session:
            freed = get_visit_booking(session, row)
        candidates = _find_candidates(context, row, freed)
    except ClinicweaveError as error:
        log.warning("no waiting visits are named for a declined one: %s", type(error).__name__)
        return
    with context.database.writing() as session:
        place = freed.model_dump(mode="json", exclude={"visit"})
        tasks.add_detail(session, DECLINED, ("visit", row.subject_id), {"freed": place, "candidates": candidates})


def _find_candidates(context: AppContext, row: BookingRow, freed: VisitBooking) -> list[str]:
    import solver

    scenario, plan = get_current_week(context, row.period_id, context.clock()).settled
    without = with_booking(scenario, plan, row.subject_id, None)
    proposals = solver.find_backfills(scenario, without, CANDIDATES + 1, freed)
    return [proposal.visit for proposal in proposals if proposal.visit != row.subject_id][:CANDIDATES]
