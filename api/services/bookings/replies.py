"""What patients answer: noted on the appointment, or a task for staff. Nothing that comes in by mail moves or cancels anything.

Who declines keeps the place until staff have seen it: the task tells what would be free, and which waiting visits could use
it best.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.access.credentials import Signer
from api.context import AppContext
from api.runtime.exceptions import Conflict
from api.services.bookings.by_hand import get_booking_row, get_visit_booking
from api.services.messages.letters import Correspondent, find_correspondent
from api.services.records import write_audit
from api.services.weeks.week import get_current_week, with_booking
from api.store.columns import new_id
from api.store.errors import NoClinic
from api.store.queries import bookings, messages, periods, tasks
from api.store.queries.messages import AppointmentNotice
from api.store.rows import expect_version
from api.store.tables import BookingRow, InvitationRow
from api.store.tables.mail import Participation
from calendars.letters import DeliveryReport
from calendars.mailbox import Mailbox
from calendars.replies import (
    Accepted,
    Declined,
    ForStaff,
    Ignored,
    KnownInvite,
    ReceivedReplies,
    Reply,
    Tentative,
    judge_reply,
    read_file,
    read_mail,
)
from scheduling.errors import ClinicweaveError
from scheduling.plan import VisitBooking

MAILBOX = Actor("mailbox", AccessRole.PATIENT)
"""Who answers by mail."""

DECLINED = "answer-declined"
UNCLEAR = "answer-unclear"
COMMENT = "answer-comment"
ANOTHER_TIME = "another-time"
"""The tasks for staff: somebody will not come; something came in that only people can make sense of; words that came with
a plain answer; and somebody asks for another time."""

CANDIDATES = 5
"""Waiting visits that a task names."""

PageAnswer = Literal["accepted", "declined", "another-time"]
"""What a patient may say on the page of their link."""

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


def receive_mail(context: AppContext, content: bytes, by: Actor = MAILBOX) -> list[ReplyOutcome]:
    """Take in a mail, as :func:`process_replies` does."""
    return process_replies(context, read_mail(content, _get_timezone(context)), by)


def receive_file(context: AppContext, content: bytes, by: Actor = MAILBOX) -> list[ReplyOutcome]:
    """Take in a calendar file, as :func:`process_replies` does."""
    return process_replies(context, read_file(content, _get_timezone(context)), by)


def answer_on_page(context: AppContext, by: Actor, answer: PageAnswer, words: str, version: int | None = None) -> None:
    """Take in what a patient says on the page of their link about its visit.

    Parameters
    ----------
    version
        The booking's that the page told; None: whatever stands.

    Raises
    ------
    UnknownId
        When the visit has no place.
    Conflict
        When it has begun, or is only offered.
    StaleVersion
        When it has changed since the page was made.
    """
    now, declined = context.clock(), list[BookingRow]()
    assert by.visit is not None  # only a patient's link leads here
    with context.database.writing() as session:
        row = get_booking_row(session, by.visit)
        expect_version(row, "booking", by.visit, version)
        if row.state != "booked" or row.starts_at <= now:
            raise Conflict("there is nothing to answer any more")
        received = ReceivedReplies((), message_id=f"page:{new_id()}")
        desk = _ReplyDesk(session, context.signer, received, by, now, declined)
        desk.take_from_page(row, answer, words)
    for row in declined:
        _open_backfill(context, row, now)


def _get_timezone(context: AppContext) -> str:
    with context.database.reading() as session:
        try:
            return periods.get_clinic(session).timezone
        except NoClinic:
            return "UTC"


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
        desk = _ReplyDesk(session, context.signer, received, by, now, declined)
        if received.trouble is not None:
            outcomes = desk.trouble()
        else:
            texts = (received.words, *[""] * len(received.answers))
            outcomes = [desk.take(answer, text) for answer, text in zip(received.answers, texts, strict=False)]
    for row in declined:
        _open_backfill(context, row, now)
    return outcomes


@dataclass
class _ReplyDesk:
    session: Session
    signer: Signer
    received: ReceivedReplies
    by: Actor
    now: datetime
    declined: list[BookingRow]

    def trouble(self) -> list[ReplyOutcome]:
        """Note what has no answer in it: whose it is, what about, and the words."""
        trouble = self.received.trouble
        if not isinstance(trouble, ForStaff):
            return [ReplyOutcome("mailbox", "", trouble.reason if trouble is not None else "")]
        correspondent = find_correspondent(self.session, self.received, self.now)
        detail: dict[str, Any] = {}
        if len(correspondent.patients) > 1:
            detail["patients"] = list(correspondent.patients)
        if correspondent.ahead:
            detail["visits"] = list(correspondent.ahead)
        if self.received.report is not None:
            detail["status"] = self.received.report.status
            self._note_return(correspondent, self.received.report)
        self._ask_staff(correspondent.subject, trouble, correspondent.patient, self.received.words, detail)
        return [ReplyOutcome(*correspondent.subject, trouble.reason)]

    def _note_return(self, correspondent: Correspondent, report: DeliveryReport) -> None:
        """Note at the visit that its message did not arrive."""
        if correspondent.message is None or correspondent.booking is None:
            return
        messages.mark_returned(self.session, correspondent.message, f"it came back ({report.status or 'no status'})")
        correspondent.booking.version += 1
        self.session.add(correspondent.booking)
        periods.touch(self.session, correspondent.booking.period_id)

    def take(self, answer: Reply, text: str) -> ReplyOutcome:
        """Note one answer, and the words that came with it."""
        invitation = messages.find_invitation_by_uid(self.session, answer.uid)
        booking = None if invitation is None else bookings.get_booking(self.session, invitation.booking_id)
        verdict = judge_reply(answer, self._invited(invitation, booking), self.received.sender, self.now)
        words = "\n\n".join(dict.fromkeys(part for part in (answer.comment, text) if part))
        if invitation is None or booking is None:
            correspondent = find_correspondent(self.session, self.received, self.now)
            assert isinstance(verdict, ForStaff)  # of an event that nobody knows
            self._ask_staff(correspondent.subject, verdict, correspondent.patient, words, _describe_proposal(answer))
            return ReplyOutcome(*correspondent.subject, verdict.reason)
        subject = (booking.kind, booking.subject_id)
        match verdict:
            case ForStaff():
                proposal = _describe_proposal(answer, invitation)
                self._ask_staff(subject, verdict, invitation.patient_id, words, proposal)
                return ReplyOutcome(*subject, verdict.reason)
            case Ignored():
                if verdict.reason != "repeated":
                    self._tell_words(subject, invitation, words)
                return ReplyOutcome(*subject, verdict.reason)
        outcome = self._note(invitation, booking, PARTICIPATION[type(verdict)], verdict.stamp, words)
        return ReplyOutcome(*subject, outcome)

    def take_from_page(self, booking: BookingRow, answer: PageAnswer, words: str) -> None:
        """Note what a patient says on their page about their visit."""
        (patient,) = messages.list_patients_of(self.session, [booking.id])[booking.id]
        if answer == "another-time":
            subject, detail = (booking.kind, booking.subject_id), {"patient": patient, "scenario": booking.period_id}
            task = tasks.put_task(self.session, ANOTHER_TIME, subject, detail, self.now)
            task.words = self._seal(words)
            self.session.add(task)
            write_audit(self.session, self.by, "answer.another-time", *subject, self.now, patient=patient)
            return
        known = messages.list_invitations_of(self.session, [booking.id]).get((booking.id, patient))
        invitation = known or messages.add_invitation(self.session, booking.id, patient)
        self._note(invitation, booking, answer, self.now, words)

    def _note(
        self, invitation: InvitationRow, booking: BookingRow, participation: Participation, stamp: datetime | None, words: str
    ) -> Participation:
        subject, detail = (booking.kind, booking.subject_id), {"patient": invitation.patient_id}
        if participation == "declined" and invitation.participation != "declined":
            self.declined.append(booking)
            task = tasks.add_task(self.session, DECLINED, subject, detail | {"scenario": booking.period_id}, self.now)
            task.words = self._seal(words)
            self.session.add(task)
        else:
            self._tell_words(subject, invitation, words)
        invitation.participation, invitation.replied_at = participation, stamp or self.now
        booking.version += 1
        self.session.add_all((invitation, booking))
        periods.touch(self.session, booking.period_id)
        write_audit(self.session, self.by, f"answer.{participation}", *subject, self.now, **detail)
        return participation

    def _tell_words(self, subject: tuple[str, str], invitation: InvitationRow, words: str) -> None:
        """Ask staff to read what came with an answer."""
        if words:
            detail = {"patient": invitation.patient_id, "message": self._name_letter(words)}
            tasks.add_letter(self.session, COMMENT, subject, detail, self._seal(words), self.now)

    def _seal(self, words: str) -> bytes | None:
        return self.signer.sealed(words.encode("utf-8", "replace")) if words else None

    def _name_letter(self, words: str) -> str:
        """Return what tells a letter from all others: its Message-ID, or the hash of what it says."""
        if self.received.message_id:
            return self.received.message_id
        said = repr((self.received.sender, self.received.answers, self.received.references, self.received.report, words))
        return f"sha256:{sha256(said.encode('utf-8', 'replace')).hexdigest()[:32]}"

    def _invited(self, invitation: InvitationRow | None, booking: BookingRow | None) -> KnownInvite | None:
        if invitation is None or booking is None:
            return None
        address = messages.get_last_address(self.session, invitation.id)
        if address is None:
            return None
        is_over = invitation.ended_at is not None or booking.state == "cancelled" or booking.ends_at <= self.now
        return KnownInvite(Mailbox(address), invitation.sequence, invitation.replied_at, is_over)

    def _ask_staff(
        self, subject: tuple[str, str], verdict: ForStaff, patient: str | None, words: str, more: dict[str, Any]
    ) -> None:
        """Ask somebody to look at it, once; what was written is for their eyes alone."""
        detail: dict[str, Any] = {"reason": verdict.reason, "message": self._name_letter(words), **more}
        if patient is not None:
            detail["patient"] = patient
        tasks.add_letter(self.session, UNCLEAR, subject, detail, self._seal(words), self.now)
        write_audit(self.session, self.by, "answer.unclear", *subject, self.now, reason=verdict.reason)


def _describe_proposal(answer: Reply, invitation: InvitationRow | None = None) -> dict[str, Any]:
    """Return what a counter-proposal asks for, as a task tells it: when the appointment would start.

    An invite begins when the patient is to arrive, and so does what they propose instead.
    """
    if answer.proposed is None:
        return {}
    start, end = answer.proposed
    if invitation is not None and invitation.told is not None:
        start += timedelta(minutes=AppointmentNotice.of(invitation.told).appointment.arrive_minutes)
    return {"proposed": {"start": start.isoformat(), "end": None if end is None else end.isoformat()}}


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
